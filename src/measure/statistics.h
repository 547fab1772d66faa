// What the samples of a block say: the median with its interval, tails where the samples carry them, the mean.
//
// Functions that select take the samples as a writable span and reorder them: `std::nth_element` needs O(n), where
// sorting needs O(n log n), and a stopping rule asks again and again. A million samples take some 15 ms; asked at
// counts that grow geometrically, all answers together cost a small multiple of the last. Samples must be finite.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace busbar {

/// Where a percentile lies, in thousandths: a whole number, because 99.9 % of 10,000 is not 9,990 in floating point.
struct PerMille {
  int value;
};
inline constexpr PerMille p90{900};
inline constexpr PerMille p99{990};
inline constexpr PerMille p99_9{999};

struct Interval {
  double low;
  double high;
};

/// The median and its 95 % confidence interval; no interval for fewer than six samples.
struct MedianEstimate {
  double median = 0.0;
  std::optional<Interval> ci95;

  /// Half the interval's width over the median; none without an interval or with a median that is not positive.
  std::optional<double> relative_half_width() const;
};

/// The arithmetic mean; at least one sample. Never the only figure reported: it hides tails.
double mean(std::span<const double> samples);

/// The middle sample, or the mean of the two middle ones; at least one sample. Reorders.
double median(std::span<double> samples);

/// The median and its interval; at least one sample. Reorders.
MedianEstimate estimate_median(std::span<double> samples);

/// How many order statistics to leave out at either end: the interval from the k-th smallest to the k-th largest (k
/// from zero) of n samples contains the true median with a probability of at least 95 %, whatever the distribution, and
/// no narrower pair does. From the binomial distribution itself, not its normal approximation; O(sqrt n). None for n
/// < 6.
std::optional<std::size_t> median_interval_rank(std::size_t n);

/// Nearest-rank percentile's place among n sorted samples, from zero. None unless at least ten samples lie beyond it,
/// since an extreme of a few samples says little about the tail: p90 from 100 samples on, p99 from 1,000, p99.9 from
/// 10,000.
std::optional<std::size_t> percentile_rank(std::size_t n, PerMille p);

/// The sample at `percentile_rank`. Reorders.
std::optional<double> percentile(std::span<double> samples, PerMille p);

}  // namespace busbar
