// The value of one element of an input or of an answer, as pure functions that host and device code share. pattern.h
// says what they are for, input.h which element takes which value.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

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

/// The same for 64 bits.
BUSBAR_HOST_DEVICE constexpr std::uint64_t mix64(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

template <class T>
inline constexpr bool is_float = is_small_float<T> || std::is_floating_point_v<T>;

/// The signed integer as wide as T.
template <class T>
using Ordinal = std::conditional_t<
    sizeof(T) == 8, std::int64_t,
    std::conditional_t<sizeof(T) == 4, std::int32_t, std::conditional_t<sizeof(T) == 2, std::int16_t, std::int8_t>>>;

/// Integers as they are; floating-point values as integers of the same order in which neighbouring values are one
/// apart. NaN lies beyond the infinities. Integer comparisons vectorise for every type, also those that C++ has
/// not.
template <class T>
BUSBAR_HOST_DEVICE constexpr auto ordinal(T value) {
  if constexpr (is_float<T>) {
    const auto bits = std::bit_cast<Ordinal<T>>(value);
    const auto all_if_negative = static_cast<Ordinal<T>>(bits >> (sizeof(T) * 8 - 1));
    return static_cast<Ordinal<T>>(bits ^ (all_if_negative & std::numeric_limits<Ordinal<T>>::max()));
  } else {
    return value;
  }
}

/// Rounded to nearest where the type has not the number.
template <class T>
BUSBAR_HOST_DEVICE constexpr T from_integer(std::int64_t value) {
  if constexpr (is_small_float<T>) {
    return from_float<T>(static_cast<float>(value));
  } else {
    return static_cast<T>(value);
  }
}

/// The least and the greatest value that pass as one element of an answer, as ordinals.
template <class T>
struct Accepted {
  decltype(ordinal(T{})) least;
  decltype(ordinal(T{})) greatest;

  BUSBAR_HOST_DEVICE constexpr bool holds(T value) const {
    const auto v = ordinal(value);
    return v >= least && v <= greatest;
  }
};

/// What a reduction's inputs depend on, apart from rank and element.
struct Contributions {
  RedOp redop{};
  bool is_signed = false;        ///< negative values exist
  bool divides_exactly = false;  ///< avg is no integer division
  std::uint32_t contributors{};  ///< to a sum: places from this one on add 0
  std::uint32_t spread{};        ///< of min's and max's extremes; a power of two
  std::uint32_t flavour{};       ///< 0 or 1: makes two sets of inputs whose answers differ at every element

  /// The contribution of the rank at place `place` (0 … ranks−1) to an element at phase `phase` (0 … period−1); for
  /// premulsum half of what it is once the rank's scalar is in it.
  BUSBAR_HOST_DEVICE constexpr std::int32_t at(std::uint32_t place, std::uint32_t phase) const {
    const std::uint32_t p = place < distinct_places ? place : distinct_places;
    const std::uint32_t hash = mix(phase * 64U + p);
    switch (redop) {
      case RedOp::prod: return factor(p, hash);
      case RedOp::min: return -extreme(p, phase, hash) + (is_signed ? 0 : 64);
      case RedOp::max: return extreme(p, phase, hash) + (is_signed ? 0 : 64);
      case RedOp::avg:
        if (divides_exactly) return lone(p, phase, hash);
        break;
      case RedOp::sum:
      case RedOp::premulsum: break;
    }
    return summand(p, phase, hash);
  }

 private:
  /// 1 or 2 from place 0 and 1 … 3 from the others, all of one sign at one element: partial sums never exceed the
  /// whole, which is 3 × contributors − 1 at most.
  BUSBAR_HOST_DEVICE constexpr std::int32_t summand(std::uint32_t p, std::uint32_t phase, std::uint32_t hash) const {
    if (p >= contributors) return 0;
    return signed_at(phase, p == 0 ? 1U + (((hash >> 8U) ^ flavour) & 1U) : 1U + (((hash >> 16U) * 3U) >> 16U));
  }

  /// 1 or 4 from place 0, nothing from the others.
  BUSBAR_HOST_DEVICE constexpr std::int32_t lone(std::uint32_t p, std::uint32_t phase, std::uint32_t hash) const {
    return p == 0 ? signed_at(phase, (((hash >> 8U) ^ flavour) & 1U) != 0 ? 4U : 1U) : 0;
  }

  BUSBAR_HOST_DEVICE constexpr std::int32_t signed_at(std::uint32_t phase, std::uint32_t size) const {
    const bool negative = is_signed && ((mix(phase) ^ flavour) & 1U) != 0;
    return negative ? -static_cast<std::int32_t>(size) : static_cast<std::int32_t>(size);
  }

  /// 2 from some of the first six places, 1 from the others, with any sign: at most 64 in size.
  BUSBAR_HOST_DEVICE constexpr std::int32_t factor(std::uint32_t p, std::uint32_t hash) const {
    const std::uint32_t doubled = p == 0 ? (hash ^ flavour) & 1U : (p < 6U ? hash & 1U : 0U);
    const bool negative = is_signed && (hash & 2U) != 0;
    return negative ? -1 - static_cast<std::int32_t>(doubled) : 1 + static_cast<std::int32_t>(doubled);
  }

  /// Place 0 decides, with −spread/2 … spread/2 − 1; the others stay 1 … spread below it.
  BUSBAR_HOST_DEVICE constexpr std::int32_t extreme(std::uint32_t p, std::uint32_t phase, std::uint32_t hash) const {
    const std::uint32_t top = ((mix(phase) & (spread / 2U - 1U)) << 1U) | flavour;
    const std::uint32_t below = spread / 2U + (p == 0 ? 0U : 1U + (hash & (spread - 1U)));
    return static_cast<std::int32_t>(top) - static_cast<std::int32_t>(below);
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

/// Element `index` of a block of moved data. `inverted`, all ones or none, makes the other seed of the pair: every bit
/// differs.
template <class T>
BUSBAR_HOST_DEVICE constexpr T moved_value(std::uint32_t key, std::uint32_t index, std::uint32_t inverted) {
  const std::uint32_t hash = moved_bits(key, index) ^ inverted;
  if constexpr (sizeof(T) == 8) {
    const std::uint64_t high = mix(hash + key) ^ inverted;
    const std::uint64_t both = (high << 32U) | hash;
    return is_float<T> ? std::bit_cast<T>(finite_bits(both)) : std::bit_cast<T>(both);
  } else if constexpr (sizeof(T) == 4) {
    return is_float<T> ? std::bit_cast<T>(finite_bits(hash)) : std::bit_cast<T>(hash);
  } else if constexpr (sizeof(T) == 2) {
    return T{finite_bits(static_cast<std::uint16_t>(hash >> 16U))};
  } else if constexpr (is_float<T>) {
    return T{finite_bits(static_cast<std::uint8_t>(hash >> 24U))};
  } else {
    return static_cast<T>(hash >> 24U);
  }
}

}  // namespace busbar::element
