// NCCL's names as small numbers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace busbar::plugins {

/// Numbers the names that NCCL passes, by content: no list of ours falls behind a newer NCCL. Never allocates. Holds at
/// most 127 names of 31 characters (longer ones are cut): what comes later is unknown.
class Names {
 public:
  /// 0: unknown. So are null, "", and what NCCL says where it does not know itself ("Unknown", "Invalid").
  std::uint8_t number(const char* name) noexcept;
  /// The name of a number given by this object; "" for 0.
  std::string_view name(std::uint8_t number) const noexcept;

 private:
  static constexpr std::size_t capacity = 128;  // a power of two; slot i holds number i, slot 0 is "unknown"
  struct Name {
    std::array<char, 31> text;
    std::uint8_t length;
  };
  std::array<Name, capacity> names_{};
};

/// Bytes of one element by NCCL's name of the datatype; 0: unknown.
std::size_t datatype_bytes(std::string_view name) noexcept;

/// Whether a function of that name has a root: for the others NCCL passes 0, which means nothing.
bool has_root(std::string_view function) noexcept;

}  // namespace busbar::plugins
