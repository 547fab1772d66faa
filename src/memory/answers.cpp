#include "memory/answers.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <stdexcept>
#include <type_traits>

namespace busbar {
namespace {

using element::Accepted;
using element::Ordinal;

std::uint32_t flavour(const Pattern& pattern) { return static_cast<std::uint32_t>(pattern.seed & 1U); }

/// So many that the type represents every partial sum: 3 × contributors − 1, doubled for premulsum, is at most 127 in
/// int8 and 256 in bfloat16. Of the whole numbers float8_e4m3 has all up to 16 and float8_e5m2 all up to 8, and
/// therefore all the even ones up to twice that.
template <class T>
constexpr std::uint32_t contributors(RedOp redop) {
  if (std::is_same_v<T, Float8E4M3>) return 5;
  if (std::is_same_v<T, Float8E5M2>) return 3;
  if (sizeof(T) == 1 && redop == RedOp::premulsum) return 20;
  return sizeof(T) <= 2 ? element::distinct_places : std::numeric_limits<std::uint32_t>::max();
}

/// The extremes themselves, up to half of this in size, must be numbers of the type. The others need not: rounded, they
/// do not pass them.
template <class T>
constexpr std::uint32_t spread() {
  return std::is_same_v<T, Float8E5M2> ? 16 : 32;
}

element::Contributions contributions(const Pattern& pattern) {
  return with_type(pattern.type, [&](auto v) {
    using T = decltype(v);
    const RedOp redop = pattern.redop.value();
    return element::Contributions{.redop = redop,
                                  .is_signed = element::is_float<T> || std::is_signed_v<T>,
                                  .divides_exactly = element::is_float<T>,
                                  .contributors = contributors<T>(redop),
                                  .spread = spread<T>(),
                                  .flavour = flavour(pattern)};
  });
}

/// What a rank's input is of its contribution.
std::int32_t factor(const Pattern& pattern, Rank rank) {
  return pattern.redop == RedOp::premulsum ? 2 / premultiplier(rank) : 1;
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
    case RedOp::avg:
    case RedOp::premulsum: break;
  }
  return a + b;
}

/// The reduction of all contributions. Those from `distinct_places` on contribute alike.
std::int64_t reduced_contributions(const Pattern& pattern, std::uint32_t phase) {
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
  if (redop == RedOp::sum || redop == RedOp::avg || redop == RedOp::premulsum) return result + alike * times;
  const bool cancels = redop == RedOp::prod && times % 2 == 0;  // (±1)^times
  return cancels ? result : combine(redop, result, alike);
}

std::int64_t reduction(const Pattern& pattern, std::uint32_t phase) {
  const std::int64_t contributed = reduced_contributions(pattern, phase);
  return pattern.redop == RedOp::premulsum ? 2 * contributed : contributed;
}

/// To nearest. Quotients of whole numbers come rounded to double and go by float to the small types, which does no
/// harm: each has at least twice the next one's digits, plus two.
template <class T>
T rounded(double value) {
  if constexpr (is_small_float<T>) {
    return from_float<T>(static_cast<float>(value));
  } else {
    return static_cast<T>(value);
  }
}

template <class T>
double number(T value) {
  if constexpr (is_small_float<T>) {
    return static_cast<double>(to_float(value));
  } else {
    return static_cast<double>(value);
  }
}

/// The one contribution divided by the ranks, and multiplied by 1/ranks in the type: the same unless that is subnormal.
template <class T>
Accepted<T> accepted_average(std::int64_t contribution, int ranks) {
  const auto size = static_cast<double>(contribution);
  const auto divided = element::ordinal(rounded<T>(size / ranks));
  const auto multiplied = element::ordinal(rounded<T>(size * number(rounded<T>(1.0 / ranks))));
  return {std::min(divided, multiplied), std::max(divided, multiplied)};
}

template <class T>
Accepted<T> accepted(const Pattern& pattern, std::uint32_t phase) {
  const std::int64_t exact = reduction(pattern, phase);
  if (pattern.redop != RedOp::avg) {
    const auto value = element::ordinal(element::from_integer<T>(exact));
    return {value, value};
  }
  if constexpr (element::is_float<T>) {
    return accepted_average<T>(exact, pattern.ranks);
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
          .phase = phase_at(pattern, 0),
          .factor = factor(pattern, rank)};
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
template std::vector<Accepted<Float8E4M3>> accepted_answers(const Pattern&, std::uint64_t, std::size_t);
template std::vector<Accepted<Float8E5M2>> accepted_answers(const Pattern&, std::uint64_t, std::size_t);
template std::vector<Accepted<Half>> accepted_answers(const Pattern&, std::uint64_t, std::size_t);
template std::vector<Accepted<BFloat16>> accepted_answers(const Pattern&, std::uint64_t, std::size_t);
template std::vector<Accepted<float>> accepted_answers(const Pattern&, std::uint64_t, std::size_t);
template std::vector<Accepted<double>> accepted_answers(const Pattern&, std::uint64_t, std::size_t);

int most_averaged_ranks(DataType type) {
  static constexpr int unlimited = std::numeric_limits<int>::max();
  return with_type(type, [](auto v) {
    using T = decltype(v);
    if constexpr (!element::is_float<T>) {
      return unlimited;
    } else {
      // Half of the smallest number is a tie, and goes to 0.
      const double limit = 2.0 / number(std::bit_cast<T>(Ordinal<T>{1})) - 1;
      return limit < unlimited ? static_cast<int>(limit) : unlimited;
    }
  });
}

std::int64_t expected_reduction(const Pattern& pattern, std::size_t index) {
  if (!pattern.redop) throw std::logic_error("data that is only moved has no reduction");
  return reduction(pattern, phase_at(pattern, index));
}

}  // namespace busbar
