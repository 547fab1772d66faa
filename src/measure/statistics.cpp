#include "measure/statistics.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>
#include <numeric>

namespace busbar {
namespace {

constexpr double tail_probability = 0.025;  // each side of a 95 % interval
constexpr std::size_t samples_beyond = 10;  // what a tail figure must rest on

double select(std::span<double> samples, std::size_t rank) {
  const auto at = samples.begin() + static_cast<std::ptrdiff_t>(rank);
  std::nth_element(samples.begin(), at, samples.end());
  return *at;
}

// C(2m, m) / 4^m: the chance that 2m fair coins fall evenly.
double central_binomial(std::size_t m) {
  // Up to here by its product, from here on by the asymptotic series, whose next term is below 1e-12.
  constexpr std::size_t exact_below = 100;
  if (m < exact_below) {
    double product = 1.0;
    for (std::size_t i = 1; i <= m; ++i) product *= static_cast<double>(2 * i - 1) / static_cast<double>(2 * i);
    return product;
  }
  const double x = 1.0 / static_cast<double>(m);
  const double series = 1.0 + x * (-1.0 / 8 + x * (1.0 / 128 + x * (5.0 / 1024 - x * 21.0 / 32768)));
  return series * std::sqrt(x / std::numbers::pi);
}

}  // namespace

std::optional<double> MedianEstimate::relative_half_width() const {
  if (!ci95 || median <= 0.0) return std::nullopt;
  return (ci95->high - ci95->low) / 2.0 / median;
}

double mean(std::span<const double> samples) {
  assert(!samples.empty());
  return std::accumulate(samples.begin(), samples.end(), 0.0) / static_cast<double>(samples.size());
}

double median(std::span<double> samples) {
  assert(!samples.empty());
  const std::size_t middle = samples.size() / 2;
  const double upper = select(samples, middle);
  if (samples.size() % 2 != 0) return upper;
  // All that select left before the middle is not larger: the lower middle sample is the largest of it.
  const double lower = *std::max_element(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(middle));
  return lower + (upper - lower) / 2.0;
}

MedianEstimate estimate_median(std::span<double> samples) {
  MedianEstimate estimate{.median = median(samples), .ci95 = std::nullopt};
  if (const auto rank = median_interval_rank(samples.size())) {
    // `median` left the samples parted at the middle; each end is looked for in its half only.
    const std::size_t middle = samples.size() / 2;
    const double low = select(samples.first(middle), *rank);
    const double high = select(samples.subspan(middle), samples.size() - 1 - *rank - middle);
    estimate.ci95 = Interval{low, high};
  }
  return estimate;
}

// Let B be how many of n samples lie below the median: binomial with p = 1/2. The interval misses it below with
// probability P(B <= k). Summing from the middle outwards (there the distribution function is known by symmetry) takes
// about sqrt(n) steps and never underflows, as a sum from zero would from n = 1,075 on.
std::optional<std::size_t> median_interval_rank(std::size_t n) {
  if (n == 0) return std::nullopt;
  const std::size_t half = n / 2;
  const bool even = n % 2 == 0;
  std::size_t k = even ? half - 1 : half;                       // the largest k with P(B <= k) <= 1/2
  double at_middle = central_binomial(even ? half : half + 1);  // P(B = half) of either parity
  double cumulative = even ? (1.0 - at_middle) / 2.0 : 0.5;     // P(B <= k)
  double at_k = even ? at_middle * static_cast<double>(half) / static_cast<double>(half + 1) : at_middle;  // P(B = k)
  while (cumulative > tail_probability) {
    if (k == 0) return std::nullopt;
    cumulative -= at_k;
    at_k *= static_cast<double>(k) / static_cast<double>(n - k + 1);
    --k;
  }
  return k;
}

std::optional<std::size_t> percentile_rank(std::size_t n, PerMille p) {
  assert(0 < p.value && p.value < 1000);
  const std::size_t rank = (n * static_cast<std::size_t>(p.value) + 999) / 1000;  // counted from one
  if (n - rank < samples_beyond) return std::nullopt;
  return rank - 1;
}

std::optional<double> percentile(std::span<double> samples, PerMille p) {
  const auto rank = percentile_rank(samples.size(), p);
  if (!rank) return std::nullopt;
  return select(samples, *rank);
}

}  // namespace busbar
