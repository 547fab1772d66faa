// The distribution of times, however many: their tail and their shape.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/units.h"
#include "measure/statistics.h"

namespace busbar {

/// A histogram whose buckets grow with the time they hold, as in HdrHistogram: 128 equal ones to each power of two, so
/// that every time from a nanosecond to centuries is known to 1/128 = 0.8 %, and exactly below 256 ns. 58 KB, all
/// taken at construction; adding is an index and an increment.
class Histogram {
 public:
  Histogram();

  /// A negative time, which only a clock error can make, counts as zero.
  void add(Nanoseconds time) noexcept;
  void merge(const Histogram& other) noexcept;

  std::uint64_t count() const { return count_; }
  /// The smallest and the largest time, exact; none where nothing was added.
  std::optional<Nanoseconds> min() const;
  std::optional<Nanoseconds> max() const;
  /// A time that the nearest-rank percentile does not exceed and that lies at most 1/128 above it. None unless at least
  /// ten times lie beyond that rank (see `percentile_rank`).
  std::optional<Nanoseconds> percentile_upper_bound(PerMille p) const;
  /// How many times lie in each of `parts` stretches from the smallest time to the largest, each as wide as the others
  /// by ratio; by bucket, so a time may count to a neighbouring stretch. Empty where nothing was added.
  std::vector<std::uint64_t> shape(std::size_t parts) const;

 private:
  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  Nanoseconds min_ = Nanoseconds::max();
  Nanoseconds max_{0};
};

}  // namespace busbar
