#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "measure/statistics.h"

namespace busbar {
namespace {

std::vector<double> one_to(std::size_t n) {
  std::vector<double> samples(n);
  for (std::size_t i = 0; i < n; ++i) samples[i] = static_cast<double>(i + 1);
  std::mt19937_64 random(n);
  std::shuffle(samples.begin(), samples.end(), random);
  return samples;
}

// P(B <= k) of n fair coins, the plain way.
long double binomial_cdf(std::size_t n, std::size_t k) {
  long double term = std::pow(0.5L, static_cast<long double>(n));
  long double sum = term;
  for (std::size_t i = 1; i <= k; ++i) {
    term *= static_cast<long double>(n - i + 1) / static_cast<long double>(i);
    sum += term;
  }
  return sum;
}

TEST(Median, OfOddEvenAndOne) {
  auto odd = one_to(7);
  auto even = one_to(8);
  std::vector<double> one{3.5};
  EXPECT_DOUBLE_EQ(median(odd), 4.0);
  EXPECT_DOUBLE_EQ(median(even), 4.5);
  EXPECT_DOUBLE_EQ(median(one), 3.5);
}

TEST(Mean, OfAFew) { EXPECT_DOUBLE_EQ(mean(std::vector<double>{1.0, 2.0, 6.0}), 3.0); }

TEST(MedianInterval, NeedsSixSamples) {
  for (std::size_t n = 0; n < 6; ++n) EXPECT_FALSE(median_interval_rank(n)) << n;
  EXPECT_EQ(median_interval_rank(6), 0U);
}

// Values of the published tables (for instance Conover, Practical Nonparametric Statistics).
TEST(MedianInterval, MatchesTheTables) {
  EXPECT_EQ(median_interval_rank(8), 0U);
  EXPECT_EQ(median_interval_rank(9), 1U);
  EXPECT_EQ(median_interval_rank(10), 1U);
  EXPECT_EQ(median_interval_rank(20), 5U);
  EXPECT_EQ(median_interval_rank(50), 17U);
  EXPECT_EQ(median_interval_rank(100), 39U);
}

TEST(MedianInterval, IsTheNarrowestThatHolds) {
  for (std::size_t n = 6; n <= 2000; ++n) {
    const auto k = median_interval_rank(n);
    ASSERT_TRUE(k) << n;
    EXPECT_LE(binomial_cdf(n, *k), 0.025L) << n;
    EXPECT_GT(binomial_cdf(n, *k + 1), 0.025L) << n;
  }
}

TEST(MedianInterval, AgreesWithTheNormalLimitForMany) {
  for (const std::size_t n : {std::size_t{100'000}, std::size_t{999'999}, std::size_t{1'000'000}}) {
    const double x = static_cast<double>(n);
    EXPECT_NEAR(static_cast<double>(*median_interval_rank(n)), x / 2 - 1.959964 * std::sqrt(x) / 2, 1.5) << n;
  }
}

TEST(MedianInterval, EndsAreOrderStatistics) {
  for (const std::size_t n : {std::size_t{6}, std::size_t{7}, std::size_t{100}, std::size_t{1001}}) {
    auto samples = one_to(n);
    const auto estimate = estimate_median(samples);
    const auto k = *median_interval_rank(n);
    ASSERT_TRUE(estimate.ci95);
    EXPECT_DOUBLE_EQ(estimate.ci95->low, static_cast<double>(k + 1)) << n;
    EXPECT_DOUBLE_EQ(estimate.ci95->high, static_cast<double>(n - k)) << n;
    EXPECT_DOUBLE_EQ(estimate.median, static_cast<double>(n + 1) / 2) << n;
  }
}

TEST(MedianInterval, RelativeHalfWidth) {
  EXPECT_DOUBLE_EQ((MedianEstimate{.median = 10.0, .ci95 = Interval{9.0, 12.0}}.relative_half_width().value()), 0.15);
  EXPECT_FALSE((MedianEstimate{.median = 10.0, .ci95 = std::nullopt}.relative_half_width()));
  EXPECT_FALSE((MedianEstimate{.median = 0.0, .ci95 = Interval{0.0, 0.0}}.relative_half_width()));
}

// Skewed samples with a heavy tail, as times have. The share that holds the true median must not be below 95 % by more
// than the simulation's own error (three standard deviations).
#ifdef BUSBAR_SANITIZED
constexpr int trials = 2'000;  // that the share is right, the release build shows
#else
constexpr int trials = 20'000;
#endif

TEST(MedianInterval, CoversTheTrueMedian) {
  std::mt19937_64 random(20260101);
  std::lognormal_distribution<double> time(3.0, 1.0);
  const double truth = std::exp(3.0);
  for (const std::size_t n : {std::size_t{6}, std::size_t{10}, std::size_t{37}, std::size_t{200}}) {
    int holds = 0;
    std::vector<double> samples(n);
    for (int t = 0; t < trials; ++t) {
      for (double& sample : samples) sample = time(random);
      const auto ci = *estimate_median(samples).ci95;
      if (ci.low <= truth && truth <= ci.high) ++holds;
    }
    const double allowed = 3.0 * std::sqrt(0.95 * 0.05 / trials);
    EXPECT_GE(static_cast<double>(holds) / trials, 0.95 - allowed) << n;
  }
}

TEST(Percentile, NeedsTenSamplesBeyond) {
  EXPECT_FALSE(percentile_rank(99, p90));
  EXPECT_TRUE(percentile_rank(100, p90));
  EXPECT_FALSE(percentile_rank(999, p99));
  EXPECT_TRUE(percentile_rank(1000, p99));
  EXPECT_FALSE(percentile_rank(9'999, p99_9));
  EXPECT_TRUE(percentile_rank(10'000, p99_9));
  for (std::size_t n = 0; n < 10; ++n) EXPECT_FALSE(percentile_rank(n, PerMille{1})) << n;
}

TEST(Percentile, IsTheNearestRank) {
  auto samples = one_to(1000);
  EXPECT_DOUBLE_EQ(percentile(samples, p90).value(), 900.0);
  EXPECT_DOUBLE_EQ(percentile(samples, p99).value(), 990.0);
  EXPECT_FALSE(percentile(samples, p99_9));
  auto odd = one_to(1001);
  EXPECT_DOUBLE_EQ(percentile(odd, p99).value(), 991.0);
}

}  // namespace
}  // namespace busbar
