#include "fakes/gpu/settings.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <sstream>
#include <string_view>

#include "core/error.h"

namespace busbar::gpu::fake {

std::uint64_t number_of(const char* variable, std::uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  if (text == nullptr) return otherwise;
  const std::string_view word = text;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc{} || end != word.data() + word.size()) {
    throw RuntimeError(fmt::format("{}='{}' is no whole number", variable, word));
  }
  return number;
}

int gpus() { return static_cast<int>(number_of("BUSBAR_FAKE_GPUS", 8)); }

std::uint64_t memory_bytes() { return number_of("BUSBAR_FAKE_GPU_MEMORY", std::uint64_t{64} << 30U); }

std::uint64_t nvlink_bytes() { return number_of("BUSBAR_FAKE_GPU_NVLINK", 0); }
int compute_capability() { return static_cast<int>(number_of("BUSBAR_FAKE_GPU_COMPUTE", 90)); }

std::vector<std::string> throttle_reasons() {
  std::vector<std::string> reasons;
  const char* const text = std::getenv("BUSBAR_FAKE_GPU_THROTTLED");
  std::istringstream words(text == nullptr ? "" : text);
  for (std::string word; std::getline(words, word, ',');) reasons.push_back(word);
  return reasons;
}

}  // namespace busbar::gpu::fake
