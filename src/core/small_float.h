// What the floating-point types narrower than float have in common: they are stored, and computed with as float.
#pragma once

#include <type_traits>

#include "core/float8.h"
#include "core/half.h"

namespace busbar {

/// C++'s numeric traits know nothing of these types.
template <class T>
inline constexpr bool is_small_float = std::is_same_v<T, Half> || std::is_same_v<T, BFloat16> ||
                                       std::is_same_v<T, Float8E4M3> || std::is_same_v<T, Float8E5M2>;

/// The nearest value of a small floating-point type, ties to even.
template <class T>
constexpr T from_float(float f) {
  static_assert(is_small_float<T>);
  if constexpr (std::is_same_v<T, Half>) {
    return to_half(f);
  } else if constexpr (std::is_same_v<T, BFloat16>) {
    return to_bfloat16(f);
  } else if constexpr (std::is_same_v<T, Float8E4M3>) {
    return to_float8_e4m3(f);
  } else {
    return to_float8_e5m2(f);
  }
}

}  // namespace busbar
