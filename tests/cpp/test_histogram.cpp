#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "measure/histogram.h"

namespace busbar {
namespace {

constexpr PerMille half{500};

TEST(Histogram, SaysNothingOfNothing) {
  const Histogram empty;
  EXPECT_EQ(empty.count(), 0U);
  EXPECT_FALSE(empty.min());
  EXPECT_FALSE(empty.max());
  EXPECT_FALSE(empty.percentile_upper_bound(half));
}

TEST(Histogram, NeedsTenBeyondAPercentile) {
  Histogram h;
  for (int i = 0; i < 99; ++i) h.add(Nanoseconds{i});
  EXPECT_FALSE(h.percentile_upper_bound(p90));
  h.add(Nanoseconds{99});
  EXPECT_EQ(h.percentile_upper_bound(p90), Nanoseconds{89});
}

// Every magnitude there is: one time of it must come back no smaller and at most 1/128 larger.
TEST(Histogram, BoundsEveryMagnitude) {
  std::mt19937_64 random(11);
  for (int bits = 0; bits < 63; ++bits) {
    for (int i = 0; i < 50; ++i) {
      const auto t =
          static_cast<std::int64_t>((std::uint64_t{1} << bits) | (random() & ((std::uint64_t{1} << bits) - 1)));
      Histogram h;
      for (int k = 0; k < 20; ++k) h.add(Nanoseconds{t});
      for (int k = 0; k < 15; ++k) h.add(Nanoseconds::max());
      const auto bound = h.percentile_upper_bound(half).value();
      EXPECT_GE(bound.count(), t);
      EXPECT_LE(static_cast<double>(bound.count()), static_cast<double>(t) * (1.0 + 1.0 / 128) + 0.5) << t;
    }
  }
}

TEST(Histogram, AgreesWithTheSamples) {
  std::mt19937_64 random(12);
  std::lognormal_distribution<double> time(10.0, 2.0);
  Histogram h;
  std::vector<double> samples(20'000);
  for (double& sample : samples) {
    sample = std::floor(time(random));
    h.add(Nanoseconds{static_cast<std::int64_t>(sample)});
  }
  for (const PerMille p : {half, p90, p99, p99_9}) {
    const double exact = percentile(samples, p).value();
    const auto bound = static_cast<double>(h.percentile_upper_bound(p).value().count());
    EXPECT_GE(bound, exact);
    EXPECT_LE(bound, exact * (1.0 + 1.0 / 128));
  }
  EXPECT_DOUBLE_EQ(static_cast<double>(h.min()->count()), *std::min_element(samples.begin(), samples.end()));
  EXPECT_DOUBLE_EQ(static_cast<double>(h.max()->count()), *std::max_element(samples.begin(), samples.end()));
}

TEST(Histogram, MergingIsAddingBoth) {
  std::mt19937_64 random(13);
  Histogram a, b, both;
  for (int i = 0; i < 1000; ++i) {
    const Nanoseconds t{static_cast<std::int64_t>(random() % 1'000'000)};
    (i % 3 == 0 ? a : b).add(t);
    both.add(t);
  }
  a.merge(b);
  a.merge(Histogram{});
  EXPECT_EQ(a.count(), both.count());
  EXPECT_EQ(a.min(), both.min());
  EXPECT_EQ(a.max(), both.max());
  for (int p = 10; p < 990; p += 10) EXPECT_EQ(a.percentile_upper_bound({p}), both.percentile_upper_bound({p})) << p;
}

TEST(Histogram, TakesTheExtremes) {
  Histogram h;
  h.add(Nanoseconds{-5});
  h.add(Nanoseconds::max());
  h.add(Nanoseconds{0});
  EXPECT_EQ(h.count(), 3U);
  EXPECT_EQ(h.min(), Nanoseconds{0});
  EXPECT_EQ(h.max(), Nanoseconds::max());
}

TEST(Histogram, ShapeSpreadsTheTimesOverEqualRatios) {
  Histogram h;
  EXPECT_TRUE(h.shape(4).empty());
  for (const int us : {1, 10, 10, 100, 1000, 10'000}) h.add(std::chrono::microseconds{us});
  EXPECT_EQ(h.shape(4), (std::vector<std::uint64_t>{1, 2, 1, 2}));
  Histogram same;
  for (int i = 0; i < 5; ++i) same.add(std::chrono::microseconds{7});
  EXPECT_EQ(same.shape(3), (std::vector<std::uint64_t>{5, 0, 0}));
}

}  // namespace
}  // namespace busbar
