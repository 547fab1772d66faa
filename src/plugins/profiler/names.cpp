#include "plugins/profiler/names.h"

#include <algorithm>
#include <cstring>

namespace busbar::plugins {

std::uint8_t Names::number(const char* name) noexcept {
  if (name == nullptr) return 0;
  const std::string_view text(name, strnlen(name, names_[0].text.size()));
  if (text.empty() || text == "Unknown" || text == "Invalid") return 0;
  std::uint32_t hash = 2166136261U;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  for (std::size_t probe = 0; probe < capacity; ++probe) {
    const std::size_t at = (hash + probe) % capacity;
    if (at == 0) continue;
    Name& slot = names_[at];
    if (slot.length == 0) {
      slot.length = static_cast<std::uint8_t>(text.size());
      std::copy(text.begin(), text.end(), slot.text.begin());
    }
    if (std::string_view(slot.text.data(), slot.length) == text) return static_cast<std::uint8_t>(at);
  }
  return 0;
}

std::string_view Names::name(std::uint8_t number) const noexcept {
  const Name& slot = names_[number % capacity];
  return {slot.text.data(), slot.length};
}

std::size_t datatype_bytes(std::string_view name) noexcept {
  struct Size {
    std::string_view name;
    std::size_t bytes;
  };
  static constexpr Size sizes[] = {
      {"ncclInt8", 1},       {"ncclChar", 1},       {"ncclUint8", 1},   {"ncclInt32", 4},   {"ncclInt", 4},
      {"ncclUint32", 4},     {"ncclInt64", 8},      {"ncclUint64", 8},  {"ncclFloat16", 2}, {"ncclHalf", 2},
      {"ncclFloat32", 4},    {"ncclFloat", 4},      {"ncclFloat64", 8}, {"ncclDouble", 8},  {"ncclBfloat16", 2},
      {"ncclFloat8e4m3", 1}, {"ncclFloat8e5m2", 1},
  };
  const auto* found = std::find_if(std::begin(sizes), std::end(sizes), [&](const Size& s) { return s.name == name; });
  return found == std::end(sizes) ? 0 : found->bytes;
}

bool has_root(std::string_view function) noexcept {
  return function == "Broadcast" || function == "Reduce" || function == "Gather" || function == "Scatter";
}

}  // namespace busbar::plugins
