// The value of one input element, as pure functions that host and device code share. pattern.h says what they are for.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "core/datatype.h"

#ifdef __CUDACC__
#define BUSBAR_HOST_DEVICE __host__ __device__
#else
#define BUSBAR_HOST_DEVICE
#endif

namespace busbar::element {

/// The answers of reductions repeat after this many elements. Prime, so that a result which is displaced by a power of
/// two, or by any other likely distance, is a wrong one.
inline constexpr std::uint32_t period = 1009;

/// Places on the ring of contributors whose values differ from each other; all further places contribute alike, so that
/// the answer for any number of ranks is known after this many steps.
inline constexpr std::uint32_t distinct_places = 32;

/// Every bit of the argument reaches every bit of the result; a bijection.
BUSBAR_HOST_DEVICE constexpr std::uint32_t mix(std::uint32_t x) {
  x ^= x >> 16U;
  x *= 0x7feb352dU;
  x ^= x >> 15U;
  x *= 0x846ca68bU;
  return x ^ (x >> 16U);
}

/// What a reduction's inputs depend on, apart from rank and element.
struct Contributions {
  RedOp redop{};
  bool is_signed = false;   ///< negative values exist
  bool is_narrow = false;   ///< too narrow for the sum over all ranks: only the first `distinct_places` contribute
  std::uint32_t flavour{};  ///< 0 or 1: makes two sets of inputs whose answers differ at every element

  /// The contribution of the rank at place `place` (0 … ranks−1) to an element at phase `phase` (0 … period−1).
  BUSBAR_HOST_DEVICE constexpr std::int32_t at(std::uint32_t place, std::uint32_t phase) const {
    const std::uint32_t p = place < distinct_places ? place : distinct_places;
    const std::uint32_t hash = mix(phase * 64U + p);
    switch (redop) {
      case RedOp::prod: return factor(p, hash);
      case RedOp::min: return -extreme(p, phase, hash) + (is_signed ? 0 : 64);
      case RedOp::max: return extreme(p, phase, hash) + (is_signed ? 0 : 64);
      case RedOp::sum:
      case RedOp::avg: break;
    }
    return summand(p, phase, hash);
  }

 private:
  /// 1 … 3, all of one sign at one element: partial sums never exceed the whole. At most 3 × 32 = 96 in narrow types,
  /// which int8 holds and bfloat16 represents exactly.
  BUSBAR_HOST_DEVICE constexpr std::int32_t summand(std::uint32_t p, std::uint32_t phase, std::uint32_t hash) const {
    if (is_narrow && p == distinct_places) return 0;
    const std::uint32_t size = p == 0 ? 1U + (((hash >> 8U) ^ flavour) & 1U) : 1U + (((hash >> 16U) * 3U) >> 16U);
    const bool negative = is_signed && ((mix(phase) ^ flavour) & 1U) != 0;
    return negative ? -static_cast<std::int32_t>(size) : static_cast<std::int32_t>(size);
  }

  /// 2 from some of the first six places, 1 from the others, with any sign: at most 64 in size.
  BUSBAR_HOST_DEVICE constexpr std::int32_t factor(std::uint32_t p, std::uint32_t hash) const {
    const std::uint32_t doubled = p == 0 ? (hash ^ flavour) & 1U : (p < 6U ? hash & 1U : 0U);
    const bool negative = is_signed && (hash & 2U) != 0;
    return negative ? -1 - static_cast<std::int32_t>(doubled) : 1 + static_cast<std::int32_t>(doubled);
  }

  /// Place 0 decides, with −16 … 15; the others stay 1 … 32 below it.
  BUSBAR_HOST_DEVICE constexpr std::int32_t extreme(std::uint32_t p, std::uint32_t phase, std::uint32_t hash) const {
    const std::uint32_t top = ((mix(phase) & 15U) << 1U) | flavour;
    const std::uint32_t below = p == 0 ? 0U : 1U + (hash & 31U);
    return static_cast<std::int32_t>(top) - 16 - static_cast<std::int32_t>(below);
  }
};

/// 32 bits for element `index` of a block of moved data; different for every index under the same key.
BUSBAR_HOST_DEVICE constexpr std::uint32_t moved_bits(std::uint32_t key, std::uint32_t index) {
  return mix(index * 0x9e3779b1U + key);
}

/// Hash bits as the bits of a floating-point number that is finite, normal and not zero: the second highest bit is
/// cleared and the third added, which keeps the exponent between a quarter and three quarters of its range.
template <class Bits>
BUSBAR_HOST_DEVICE constexpr Bits finite_bits(Bits hash) {
  constexpr auto second = static_cast<Bits>(Bits{1} << (sizeof(Bits) * 8 - 2));
  constexpr auto third = static_cast<Bits>(Bits{1} << (sizeof(Bits) * 8 - 3));
  return static_cast<Bits>((hash & static_cast<Bits>(~second)) + third);
}

}  // namespace busbar::element
