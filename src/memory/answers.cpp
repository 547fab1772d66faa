#include "memory/answers.h"

#include <algorithm>
#include <stdexcept>
#include <type_traits>

namespace busbar {
namespace {

using element::Accepted;
using element::Ordinal;

std::uint32_t flavour(const Pattern& pattern) { return static_cast<std::uint32_t>(pattern.seed & 1U); }

element::Contributions contributions(const Pattern& pattern) {
  return with_type(pattern.type, [&](auto v) {
    using T = decltype(v);
    return element::Contributions{.redop = pattern.redop.value(),
                                  .is_signed = element::is_float<T> || std::is_signed_v<T>,
                                  .is_narrow = sizeof(T) <= 2,
                                  .flavour = flavour(pattern)};
  });
}

/// Pairs of seeds share the phase, because a pair already differs everywhere; 1009 successive pairs all have another
/// one.
std::uint32_t phase_at(const Pattern& pattern, std::uint64_t index) {
  constexpr std::uint64_t stride = 401;
  const std::uint64_t pair = (pattern.seed >> 1U) % element::period;
  return static_cast<std::uint32_t>((index % element::period + pair * stride) % element::period);
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

/// A quotient of two numbers that float holds exactly, rounded twice at most and then harmlessly: float has more than
/// twice the digits of both 16-bit types, plus two.
template <class T>
T correctly_rounded_quotient(std::int64_t sum, int ranks) {
  if constexpr (element::is_small_float<T>) {
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
    const auto value = element::ordinal(element::from_integer<T>(exact));
    return {value, value};
  }
  if constexpr (element::is_float<T>) {
    const auto nearest = element::ordinal(correctly_rounded_quotient<T>(exact, pattern.ranks));
    return {static_cast<Ordinal<T>>(nearest - 1), static_cast<Ordinal<T>>(nearest + 1)};
  } else {
    const auto quotient = static_cast<T>(exact / pattern.ranks);
    return {quotient, quotient};
  }
}

}  // namespace

element::Contributed contributed(const Pattern& pattern, Rank rank) {
  const auto ranks = static_cast<std::uint64_t>(pattern.ranks);
  const std::uint64_t place = static_cast<std::uint64_t>(rank.value) + element::mix64(pattern.seed) % ranks;
  return {.contributions = contributions(pattern),
          .ranks = static_cast<std::uint32_t>(ranks),
          .place = static_cast<std::uint32_t>(place % ranks),
          .phase = phase_at(pattern, 0)};
}

element::Moved moved(const Pattern& pattern, Rank rank) {
  return {.source =
              element::mix64((pattern.seed >> 1U) + 0x9e3779b97f4a7c15U * (static_cast<std::uint64_t>(rank.value) + 1)),
          .inverted = flavour(pattern) != 0 ? ~0U : 0U};
}

template <class T>
std::vector<Accepted<T>> accepted_answers(const Pattern& pattern, std::uint64_t first, std::size_t count) {
  std::vector<Accepted<T>> table(count);
  for (std::size_t i = 0; i < count; ++i) table[i] = accepted<T>(pattern, phase_at(pattern, first + i));
  return table;
}

template std::vector<Accepted<std::int8_t>> accepted_answers(const Pattern&, std::uint64_t, std::size_t);
template std::vector<Accepted<std::uint8_t>> accepted_answers(const Pattern&, std::uint64_t, std::size_t);
template std::vector<Accepted<std::int32_t>> accepted_answers(const Pattern&, std::uint64_t, std::size_t);
template std::vector<Accepted<std::uint32_t>> accepted_answers(const Pattern&, std::uint64_t, std::size_t);
template std::vector<Accepted<std::int64_t>> accepted_answers(const Pattern&, std::uint64_t, std::size_t);
template std::vector<Accepted<std::uint64_t>> accepted_answers(const Pattern&, std::uint64_t, std::size_t);
template std::vector<Accepted<Half>> accepted_answers(const Pattern&, std::uint64_t, std::size_t);
template std::vector<Accepted<BFloat16>> accepted_answers(const Pattern&, std::uint64_t, std::size_t);
template std::vector<Accepted<float>> accepted_answers(const Pattern&, std::uint64_t, std::size_t);
template std::vector<Accepted<double>> accepted_answers(const Pattern&, std::uint64_t, std::size_t);

std::int64_t expected_reduction(const Pattern& pattern, std::size_t index) {
  if (!pattern.redop) throw std::logic_error("data that is only moved has no reduction");
  return reduction(pattern, phase_at(pattern, index));
}

}  // namespace busbar
