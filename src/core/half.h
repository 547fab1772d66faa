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

/// Rounds to nearest, ties to even; overflow becomes infinity, NaN stays NaN.
constexpr Half to_half(float f) {
  const auto bits = std::bit_cast<std::uint32_t>(f);
  const auto sign = static_cast<std::uint16_t>((bits >> 16U) & 0x8000U);
  const std::uint32_t magnitude = bits & 0x7fffffffU;
  // Subnormal: adding 0.5 puts the unit in the last place of binary16's subnormals at float's last bit, so the addition
  // itself rounds.
  const std::uint32_t subnormal = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) - 0x3f000000U;
  const std::uint32_t normal = (magnitude - 0x38000000U + 0xfffU + ((magnitude >> 13U) & 1U)) >> 13U;
  // Masks and not branches: compilers would branch around the addition above, and then not vectorise.
  const auto choose = [](bool condition, std::uint32_t yes, std::uint32_t no) {
    return no ^ ((yes ^ no) & (0U - static_cast<std::uint32_t>(condition)));
  };
  std::uint32_t result = choose(magnitude < 0x38800000U, subnormal, normal);
  result = choose(magnitude >= 0x477ff000U, 0x7c00U, result);  // 65520 and more round to infinity
  result = choose(magnitude > 0x7f800000U, 0x7e00U, result);
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
