#include "measure/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace busbar {
namespace {

constexpr int sub_bits = 7;  // 2^7 buckets to each power of two: 1/128, the coarsest that is finer than 1 %
constexpr std::uint64_t sub_buckets = std::uint64_t{1} << sub_bits;
constexpr int time_bits = 63;  // of a time that is not negative
// Times below 2^7 have a bucket each; each of the powers of two from 2^7 to 2^62 has 2^7.
constexpr std::size_t bucket_count = sub_buckets * static_cast<std::size_t>(time_bits - sub_bits + 1);

// The power of two decides the row, the seven bits after the leading one the place in it.
std::size_t index_of(std::uint64_t t) {
  const int shift = std::max(0, static_cast<int>(std::bit_width(t)) - sub_bits - 1);
  return static_cast<std::size_t>(shift) * sub_buckets + (t >> shift);
}

// The largest time that falls into bucket `index`.
std::uint64_t top_of(std::size_t index) {
  const std::size_t shift = index < 2 * sub_buckets ? 0 : index / sub_buckets - 1;
  const std::uint64_t lead = index - shift * sub_buckets;
  return ((lead + 1) << shift) - 1;
}

}  // namespace

Histogram::Histogram() : buckets_(bucket_count) {}

void Histogram::add(Nanoseconds time) noexcept {
  time = std::max(time, Nanoseconds{0});
  ++buckets_[index_of(static_cast<std::uint64_t>(time.count()))];
  ++count_;
  min_ = std::min(min_, time);
  max_ = std::max(max_, time);
}

void Histogram::merge(const Histogram& other) noexcept {
  for (std::size_t i = 0; i < bucket_count; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

std::optional<Nanoseconds> Histogram::min() const { return count_ > 0 ? std::optional{min_} : std::nullopt; }
std::optional<Nanoseconds> Histogram::max() const { return count_ > 0 ? std::optional{max_} : std::nullopt; }

std::optional<Nanoseconds> Histogram::percentile_upper_bound(PerMille p) const {
  const auto rank = percentile_rank(count_, p);
  if (!rank) return std::nullopt;
  std::uint64_t up_to_here = 0;
  std::size_t index = 0;
  while ((up_to_here += buckets_[index]) <= *rank) ++index;
  return std::min(max_, Nanoseconds{static_cast<std::int64_t>(top_of(index))});
}

std::vector<std::uint64_t> Histogram::shape(std::size_t parts) const {
  if (count_ == 0) return {};
  const auto logarithm = [](double t) { return std::log(std::max(t, 1.0)); };
  const double low = logarithm(static_cast<double>(min_.count()));
  const double width = logarithm(static_cast<double>(max_.count())) - low;
  std::vector<std::uint64_t> counts(parts);
  for (std::size_t i = 0; i < bucket_count; ++i) {
    if (buckets_[i] == 0) continue;
    const double place = width > 0 ? (logarithm(static_cast<double>(top_of(i))) - low) / width : 0;
    const auto part = static_cast<std::size_t>(std::clamp(place, 0.0, 1.0) * static_cast<double>(parts));
    counts[std::min(part, parts - 1)] += buckets_[i];
  }
  return counts;
}

}  // namespace busbar
