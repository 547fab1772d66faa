#include "memory/pattern.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "memory/element.h"

namespace busbar {
namespace {

/// C++'s numeric traits know nothing of the two 16-bit floating-point types.
template <class T>
constexpr bool is_small_float = std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;
template <class T>
constexpr bool is_float = is_small_float<T> || std::is_floating_point_v<T>;

/// The signed integer as wide as T.
template <class T>
using Ordinal = std::conditional_t<
    sizeof(T) == 8, std::int64_t,
    std::conditional_t<sizeof(T) == 4, std::int32_t, std::conditional_t<sizeof(T) == 2, std::int16_t, std::int8_t>>>;

/// Integers as they are; floating-point values as integers of the same order in which neighbouring values are one
/// apart. NaN lies beyond the infinities. Integer comparisons vectorise for every type, half and bfloat16 too.
template <class T>
auto ordinal(T value) {
  if constexpr (is_float<T>) {
    const auto bits = std::bit_cast<Ordinal<T>>(value);
    const auto all_if_negative = static_cast<Ordinal<T>>(bits >> (sizeof(T) * 8 - 1));
    return static_cast<Ordinal<T>>(bits ^ (all_if_negative & std::numeric_limits<Ordinal<T>>::max()));
  } else {
    return value;
  }
}

/// Exact for the small whole numbers of the patterns.
template <class T>
T from_integer(std::int64_t value) {
  if constexpr (std::is_same_v<T, Half>) {
    return to_half(static_cast<float>(value));
  } else if constexpr (std::is_same_v<T, BFloat16>) {
    return to_bfloat16(static_cast<float>(value));
  } else {
    return static_cast<T>(value);
  }
}

std::uint64_t mix64(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

std::uint32_t flavour(const Pattern& pattern) { return static_cast<std::uint32_t>(pattern.seed & 1U); }

element::Contributions contributions(const Pattern& pattern) {
  return with_type(pattern.type, [&](auto v) {
    using T = decltype(v);
    return element::Contributions{.redop = pattern.redop.value(),
                                  .is_signed = is_float<T> || std::is_signed_v<T>,
                                  .is_narrow = sizeof(T) <= 2,
                                  .flavour = flavour(pattern)};
  });
}

// --- reductions
// -------------------------------------------------------------------------------------------------------

/// Pairs of seeds share the phase, because a pair already differs everywhere; 1009 successive pairs all have another
/// one.
std::uint32_t phase_at(const Pattern& pattern, std::uint64_t index) {
  constexpr std::uint64_t stride = 401;
  const std::uint64_t pair = (pattern.seed >> 1U) % element::period;
  return static_cast<std::uint32_t>((index + pair * stride) % element::period);
}

std::uint32_t place_at(const Pattern& pattern, Rank rank, std::uint64_t index) {
  const auto ranks = static_cast<std::uint64_t>(pattern.ranks);
  return static_cast<std::uint32_t>(
      (static_cast<std::uint64_t>(rank.value) + index % ranks + mix64(pattern.seed) % ranks) % ranks);
}

/// Calls `write(i, place, phase)` for `count` elements from `first` on; no division per element.
template <class Write>
void walk(const Pattern& pattern, Rank rank, std::uint64_t first, std::size_t count, const Write& write) {
  const auto ranks = static_cast<std::uint32_t>(pattern.ranks);
  std::uint32_t place = place_at(pattern, rank, first);
  std::uint32_t phase = phase_at(pattern, first);
  for (std::size_t i = 0; i < count; ++i) {
    write(i, place, phase);
    place = place + 1 == ranks ? 0 : place + 1;
    phase = phase + 1 == element::period ? 0 : phase + 1;
  }
}

template <class T>
void write_contributions(const Pattern& pattern, Rank rank, std::uint64_t first, T* data, std::size_t count) {
  const element::Contributions value = contributions(pattern);
  const std::uint32_t rows = std::min(static_cast<std::uint32_t>(pattern.ranks), element::distinct_places + 1);
  if (count < std::size_t{4} * rows * element::period) {  // a table would not pay
    walk(pattern, rank, first, count, [&](std::size_t i, std::uint32_t place, std::uint32_t phase) {
      data[i] = from_integer<T>(value.at(place, phase));
    });
    return;
  }
  std::vector<T> table;
  table.reserve(std::size_t{rows} * element::period);
  for (std::uint32_t place = 0; place < rows; ++place) {
    for (std::uint32_t phase = 0; phase < element::period; ++phase) {
      table.push_back(from_integer<T>(value.at(place, phase)));
    }
  }
  walk(pattern, rank, first, count, [&, last = rows - 1](std::size_t i, std::uint32_t place, std::uint32_t phase) {
    data[i] = table[std::min(place, last) * element::period + phase];
  });
}

std::int64_t combine(RedOp redop, std::int64_t a, std::int64_t b) {
  switch (redop) {
    case RedOp::prod: return a * b;
    case RedOp::min: return std::min(a, b);
    case RedOp::max: return std::max(a, b);
    case RedOp::sum:
    case RedOp::avg: break;
  }
  return a + b;
}

/// The reduction over all places. Those from `distinct_places` on contribute alike.
std::int64_t reduction(const Pattern& pattern, std::uint32_t phase) {
  const element::Contributions value = contributions(pattern);
  const RedOp redop = value.redop;
  const auto ranks = static_cast<std::uint32_t>(pattern.ranks);
  std::int64_t result = value.at(0, phase);
  for (std::uint32_t place = 1; place < std::min(ranks, element::distinct_places); ++place) {
    result = combine(redop, result, value.at(place, phase));
  }
  if (ranks <= element::distinct_places) return result;

  const std::int64_t alike = value.at(element::distinct_places, phase);
  const std::uint32_t times = ranks - element::distinct_places;
  if (redop == RedOp::sum || redop == RedOp::avg) return result + alike * times;
  const bool cancels = redop == RedOp::prod && times % 2 == 0;  // (±1)^times
  return cancels ? result : combine(redop, result, alike);
}

/// The least and the greatest value that pass, as ordinals.
template <class T>
struct Accepted {
  decltype(ordinal(T{})) least;
  decltype(ordinal(T{})) greatest;
};

/// A quotient of two numbers that float holds exactly, rounded twice at most and then harmlessly: float has more than
/// twice the digits of both 16-bit types, plus two.
template <class T>
T correctly_rounded_quotient(std::int64_t sum, int ranks) {
  if constexpr (is_small_float<T>) {
    const float quotient = static_cast<float>(sum) / static_cast<float>(ranks);
    if constexpr (std::is_same_v<T, Half>) {
      return to_half(quotient);
    } else {
      return to_bfloat16(quotient);
    }
  } else {
    return static_cast<T>(static_cast<double>(sum) / ranks);
  }
}

template <class T>
Accepted<T> accepted(const Pattern& pattern, std::uint32_t phase) {
  const std::int64_t exact = reduction(pattern, phase);
  if (pattern.redop != RedOp::avg) {
    const auto value = ordinal(from_integer<T>(exact));
    return {value, value};
  }
  if constexpr (is_float<T>) {
    const auto nearest = ordinal(correctly_rounded_quotient<T>(exact, pattern.ranks));
    return {static_cast<Ordinal<T>>(nearest - 1), static_cast<Ordinal<T>>(nearest + 1)};
  } else {
    const auto quotient = static_cast<T>(exact / pattern.ranks);
    return {quotient, quotient};
  }
}

template <class T>
std::uint64_t count_wrong_reduction(const Pattern& pattern, std::uint64_t first, const T* data, std::size_t count) {
  std::vector<Accepted<T>> table(std::min<std::size_t>(count, element::period));
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = accepted<T>(pattern, phase_at(pattern, first + i));

  std::uint64_t wrong = 0;
  for (std::size_t done = 0; done < count; done += table.size()) {
    const std::size_t length = std::min(table.size(), count - done);
    std::uint32_t wrong_here = 0;
    for (std::size_t i = 0; i < length; ++i) {
      const auto value = ordinal(data[done + i]);
      wrong_here += (value < table[i].least ? 1U : 0U) | (value > table[i].greatest ? 1U : 0U);
    }
    wrong += wrong_here;
  }
  return wrong;
}

// --- data movement
// ----------------------------------------------------------------------------------------------------

/// Each block of elements has a key of its own, so that the loop over one block is 32-bit arithmetic.
constexpr std::uint64_t block_elements = 65536;

template <class T>
T moved_value(std::uint32_t key, std::uint32_t index, std::uint32_t inverted) {
  const std::uint32_t hash = element::moved_bits(key, index) ^ inverted;
  if constexpr (sizeof(T) == 8) {
    const std::uint64_t high = element::mix(hash + key) ^ inverted;
    const std::uint64_t both = (high << 32U) | hash;
    return is_float<T> ? std::bit_cast<T>(element::finite_bits(both)) : std::bit_cast<T>(both);
  } else if constexpr (sizeof(T) == 4) {
    return is_float<T> ? std::bit_cast<T>(element::finite_bits(hash)) : std::bit_cast<T>(hash);
  } else if constexpr (sizeof(T) == 2) {
    return T{element::finite_bits(static_cast<std::uint16_t>(hash >> 16U))};
  } else {
    return static_cast<T>(hash >> 24U);
  }
}

template <class T>
void write_moved(const Pattern& pattern, Rank rank, std::uint64_t first, T* data, std::size_t count) {
  const std::uint64_t source =
      mix64((pattern.seed >> 1U) + 0x9e3779b97f4a7c15U * (static_cast<std::uint64_t>(rank.value) + 1));
  const std::uint32_t inverted = flavour(pattern) != 0 ? ~0U : 0U;  // the other seed of the pair: every bit differs
  while (count > 0) {
    const auto key = static_cast<std::uint32_t>(mix64(source + first / block_elements) >> 32U);
    const auto start = static_cast<std::uint32_t>(first % block_elements);
    const auto length = static_cast<std::uint32_t>(std::min<std::uint64_t>(count, block_elements - start));
    for (std::uint32_t i = 0; i < length; ++i) data[i] = moved_value<T>(key, start + i, inverted);
    first += length;
    data += length;
    count -= length;
  }
}

// --- both
// -------------------------------------------------------------------------------------------------------------

template <class T>
void write_input(const Pattern& pattern, Rank rank, std::uint64_t first, T* data, std::size_t count) {
  if (pattern.redop) {
    write_contributions(pattern, rank, first, data, count);
  } else {
    write_moved(pattern, rank, first, data, count);
  }
}

template <class T>
std::uint64_t count_wrong_input(const Pattern& pattern, Rank from, std::uint64_t first, const T* data,
                                std::size_t count) {
  using Bits = Ordinal<T>;
  std::array<T, 8192 / sizeof(T)> right;  // stays in the first-level cache
  std::uint64_t wrong = 0;
  while (count > 0) {
    const std::size_t length = std::min(count, right.size());
    write_input(pattern, from, first, right.data(), length);
    std::uint32_t wrong_here = 0;
    for (std::size_t i = 0; i < length; ++i)
      wrong_here += std::bit_cast<Bits>(data[i]) != std::bit_cast<Bits>(right[i]) ? 1U : 0U;
    wrong += wrong_here;
    first += length;
    data += length;
    count -= length;
  }
  return wrong;
}

}  // namespace

void fill_input(const Pattern& pattern, Rank self, std::byte* data, std::size_t count) {
  with_type(pattern.type, [&](auto v) { write_input(pattern, self, 0, reinterpret_cast<decltype(v)*>(data), count); });
}

std::uint64_t count_wrong(const Pattern& pattern, std::optional<Rank> from, std::size_t source_offset,
                          const std::byte* data, std::size_t count) {
  if (!from && !pattern.redop) throw std::logic_error("data that is only moved comes from a rank");
  return with_type(pattern.type, [&](auto v) {
    const auto* typed = reinterpret_cast<const decltype(v)*>(data);
    return from ? count_wrong_input(pattern, *from, source_offset, typed, count)
                : count_wrong_reduction(pattern, source_offset, typed, count);
  });
}

std::int64_t expected_reduction(const Pattern& pattern, std::size_t index) {
  if (!pattern.redop) throw std::logic_error("data that is only moved has no reduction");
  return reduction(pattern, phase_at(pattern, index));
}

}  // namespace busbar
