// The two 8-bit floating-point types of the Open Compute Project, as half.h has the 16-bit ones.
#pragma once

#include <bit>
#include <cstdint>

#include "core/half.h"

namespace busbar {

/// 4 bits of exponent, 3 of mantissa; no infinities ("fn"): the greatest number is 448, and only 0x7f and 0xff are NaN.
struct Float8E4M3 {
  std::uint8_t bits{};
};

/// 5 bits of exponent, 2 of mantissa, infinities and NaN: the upper byte of a binary16; the greatest number is 57344.
struct Float8E5M2 {
  std::uint8_t bits{};
};

/// Exact.
constexpr float to_float(Float8E4M3 f) {
  const std::uint32_t sign = (f.bits & 0x80U) << 24U;
  const std::uint32_t magnitude = f.bits & 0x7fU;
  const float scaled = std::bit_cast<float>(magnitude << 20U) * 0x1p120F;  // mends the exponent's bias, as in half.h
  const std::uint32_t special = magnitude == 0x7fU ? 0x7fc00000U : 0U;
  return std::bit_cast<float>(sign | special | std::bit_cast<std::uint32_t>(scaled));
}

/// Exact.
constexpr float to_float(Float8E5M2 f) { return to_float(Half{static_cast<std::uint16_t>(f.bits << 8U)}); }

/// Rounds to nearest, ties to even; NaN stays NaN. Overflow becomes NaN and not the greatest number, so that a result
/// that left the range is a wrong one.
constexpr Float8E4M3 to_float8_e4m3(float f) {
  const auto bits = std::bit_cast<std::uint32_t>(f);
  const std::uint32_t magnitude = bits & 0x7fffffffU;
  std::uint32_t result = small_float::nearest<3, 7>(magnitude);
  result = small_float::choose(magnitude > 0x43e80000U, 0x7fU, result);  // 464 itself is a tie and rounds to 448
  return Float8E4M3{static_cast<std::uint8_t>((bits >> 24U & 0x80U) | result)};
}

/// Rounds to nearest, ties to even; overflow becomes infinity, NaN stays NaN.
constexpr Float8E5M2 to_float8_e5m2(float f) {
  const auto bits = std::bit_cast<std::uint32_t>(f);
  const std::uint32_t magnitude = bits & 0x7fffffffU;
  std::uint32_t result = small_float::nearest<2, 15>(magnitude);
  result = small_float::choose(magnitude >= 0x47700000U, 0x7cU, result);  // 61440 and more round to infinity
  result = small_float::choose(magnitude > 0x7f800000U, 0x7eU, result);
  return Float8E5M2{static_cast<std::uint8_t>((bits >> 24U & 0x80U) | result)};
}

}  // namespace busbar
