// IEEE binary16 and bfloat16 as storage types with conversions to and from float. C++20 has no such types and MPI has
// no such datatypes; these conversions are branch-light so that compilers vectorise the reduction loops over them;
// constexpr, because nvcc compiles that for the GPU as well.
#pragma once

#include <bit>
#include <cstdint>

namespace busbar {

struct Half {
  std::uint16_t bits{};
};

struct BFloat16 {
  std::uint16_t bits{};
};

/// Exact: every binary16 value is a float.
constexpr float to_float(Half h) {
  const std::uint32_t sign = (h.bits & 0x8000U) << 16U;
  const std::uint32_t magnitude = h.bits & 0x7fffU;
  // Shift exponent and mantissa into place and let one multiplication by 2^112 mend the exponent's bias; it also
  // normalises subnormals.
  const float scaled = std::bit_cast<float>(magnitude << 13U) * 0x1p112F;
  const std::uint32_t special = magnitude >= 0x7c00U ? 0x7f800000U : 0U;
  return std::bit_cast<float>(sign | special | std::bit_cast<std::uint32_t>(scaled));
}

namespace small_float {

/// Masks and not branches: compilers would branch around the addition in `nearest`, and then not vectorise.
constexpr std::uint32_t choose(bool condition, std::uint32_t yes, std::uint32_t no) {
  return no ^ ((yes ^ no) & (0U - static_cast<std::uint32_t>(condition)));
}

/// The bits of a float without its sign, rounded to nearest, ties to even, in a narrower format with subnormals. What
/// is too large for the format, and NaN, is the caller's to see to.
template <std::uint32_t mantissa_bits, std::uint32_t bias>
constexpr std::uint32_t nearest(std::uint32_t magnitude) {
  constexpr std::uint32_t shift = 23U - mantissa_bits;
  constexpr std::uint32_t exponent_offset = (127U - bias) << 23U;
  constexpr std::uint32_t least_normal = (128U - bias) << 23U;
  // Subnormal: adding this power of two puts the unit in the last place of the format's subnormals at float's last bit,
  // so the addition itself rounds.
  constexpr std::uint32_t aligning = (151U - bias - mantissa_bits) << 23U;
  const float aligned = std::bit_cast<float>(magnitude) + std::bit_cast<float>(aligning);
  const std::uint32_t subnormal = std::bit_cast<std::uint32_t>(aligned) - aligning;
  const std::uint32_t just_below_half = (1U << (shift - 1U)) - 1U;
  const std::uint32_t normal = (magnitude - exponent_offset + just_below_half + ((magnitude >> shift) & 1U)) >> shift;
  return choose(magnitude < least_normal, subnormal, normal);
}

}  // namespace small_float

/// Rounds to nearest, ties to even; overflow becomes infinity, NaN stays NaN.
constexpr Half to_half(float f) {
  const auto bits = std::bit_cast<std::uint32_t>(f);
  const auto sign = static_cast<std::uint16_t>((bits >> 16U) & 0x8000U);
  const std::uint32_t magnitude = bits & 0x7fffffffU;
  std::uint32_t result = small_float::nearest<10, 15>(magnitude);
  result = small_float::choose(magnitude >= 0x477ff000U, 0x7c00U, result);  // 65520 and more round to infinity
  result = small_float::choose(magnitude > 0x7f800000U, 0x7e00U, result);
  return Half{static_cast<std::uint16_t>(sign | result)};
}

/// Exact.
constexpr float to_float(BFloat16 b) { return std::bit_cast<float>(static_cast<std::uint32_t>(b.bits) << 16U); }

/// Rounds to nearest, ties to even; NaN stays NaN.
constexpr BFloat16 to_bfloat16(float f) {
  const auto bits = std::bit_cast<std::uint32_t>(f);
  const bool nan = (bits & 0x7fffffffU) > 0x7f800000U;
  const std::uint32_t rounded = bits + 0x7fffU + ((bits >> 16U) & 1U);
  return BFloat16{static_cast<std::uint16_t>(nan ? (bits >> 16U) | 0x40U : rounded >> 16U)};
}

}  // namespace busbar
