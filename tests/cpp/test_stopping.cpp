#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>
#include <vector>

#include "core/error.h"
#include "measure/stopping.h"

namespace busbar {
namespace {

using testing::HasSubstr;

const std::vector<double> steady(50, 10.0);

std::vector<double> noisy(std::size_t n) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> time(1.0, 100.0);
  std::vector<double> samples(n);
  for (double& sample : samples) sample = time(random);
  return samples;
}

TEST(StoppingRule, StopsWhenTheIntervalIsNarrow) {
  StoppingRule rule({.relative_ci = 0.02, .min_samples = 10, .max_samples = 1000, .max_seconds = 1.0});
  EXPECT_FALSE(rule.decide(std::span(steady).first(9), 0.0));
  EXPECT_EQ(rule.decide(std::span(steady).first(10), 0.0), StopReason::relative_ci);
  EXPECT_FALSE(rule.decide(noisy(100), 0.0));
}

TEST(StoppingRule, NeedsSixSamplesForAnInterval) {
  StoppingRule rule({.relative_ci = 1.0, .min_samples = 1, .max_samples = 1000, .max_seconds = 1.0});
  EXPECT_FALSE(rule.decide(std::span(steady).first(5), 0.0));
  EXPECT_EQ(rule.decide(std::span(steady).first(6), 0.0), StopReason::relative_ci);
}

TEST(StoppingRule, StopsAtTheMostSamples) {
  StoppingRule rule({.relative_ci = 0.001, .min_samples = 10, .max_samples = 100, .max_seconds = 1.0});
  EXPECT_FALSE(rule.decide(noisy(99), 0.5));
  EXPECT_EQ(rule.decide(noisy(100), 0.5), StopReason::max_samples);
  EXPECT_EQ(rule.decide(noisy(100), 2.0), StopReason::max_samples);
}

TEST(StoppingRule, TimeEndsABlockFromItsFirstSampleOn) {
  StoppingRule rule({.relative_ci = 0.02, .min_samples = 10, .max_samples = 100, .max_seconds = 1.0});
  EXPECT_FALSE(rule.decide({}, 60.0));
  EXPECT_EQ(rule.decide(noisy(1), 60.0), StopReason::max_seconds);
  EXPECT_FALSE(rule.decide(noisy(1), 0.999));
}

TEST(StoppingRule, AsManyAsAskedForWhereLeastIsMost) {
  StoppingRule rule({.relative_ci = 0.02, .min_samples = 3, .max_samples = 3, .max_seconds = 1.0});
  EXPECT_FALSE(rule.decide(std::span(steady).first(2), 0.0));
  EXPECT_EQ(rule.decide(std::span(steady).first(3), 0.0), StopReason::max_samples);
}

TEST(StoppingRule, LeavesTheSamplesInOrder) {
  StoppingRule rule({});
  const auto samples = noisy(100);
  const auto before = samples;
  rule.decide(samples, 0.0);
  EXPECT_EQ(samples, before);
}

// How a block goes when every sample takes `seconds`: how often the rule was asked and how long it all took.
struct Course {
  std::size_t decisions = 0;
  double elapsed = 0.0;
  StopReason reason{};
};

Course course(StoppingLimits limits, double seconds) {
  StoppingRule rule(limits);
  const auto supply = noisy(limits.max_samples);
  Course c;
  std::size_t taken = 0;
  for (;;) {
    const std::size_t batch = rule.batch(taken, c.elapsed);
    EXPECT_GE(batch, 1U);
    taken += batch;
    EXPECT_LE(taken, limits.max_samples);
    c.elapsed += static_cast<double>(batch) * seconds;
    ++c.decisions;
    if (const auto reason = rule.decide(std::span(supply).first(taken), c.elapsed)) {
      c.reason = *reason;
      return c;
    }
  }
}

TEST(Batch, AMillionShortSamplesNeedFewDecisions) {
  const auto c = course({.relative_ci = 1e-9, .min_samples = 10, .max_samples = 1'000'000, .max_seconds = 100.0}, 1e-6);
  EXPECT_EQ(c.reason, StopReason::max_samples);
  EXPECT_LT(c.decisions, 40U);
}

TEST(Batch, TimeIsOvershotByNoMoreThanOneSample) {
  for (const double seconds : {1e-5, 1e-3, 0.013, 0.4, 0.9, 7.0}) {
    const auto c =
        course({.relative_ci = 1e-9, .min_samples = 10, .max_samples = 1'000'000, .max_seconds = 1.0}, seconds);
    EXPECT_EQ(c.reason, StopReason::max_seconds) << seconds;
    EXPECT_LT(c.elapsed, 1.0 + seconds * 1.001) << seconds;
  }
}

TEST(Batch, AClockThatHasNotMovedIsNoReasonToStop) {
  const StoppingRule rule({});
  EXPECT_EQ(rule.batch(0, 0.0), 1U);
  EXPECT_EQ(rule.batch(1, 0.0), 9U);
  EXPECT_EQ(rule.batch(10, 0.0), 5U);
  EXPECT_EQ(rule.batch(10, 5.0), 1U);
}

std::string refusal(StoppingLimits limits) {
  try {
    StoppingRule rule(limits);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(StoppingLimits, RefusesWhatMakesNoSense) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  for (const double bad : {0.0, -0.1, 1.1, nan, inf}) {
    EXPECT_THAT(refusal({.relative_ci = bad}), HasSubstr("relative_ci")) << bad;
  }
  for (const double bad : {0.0, -1.0, nan, inf})
    EXPECT_THAT(refusal({.max_seconds = bad}), HasSubstr("max_seconds")) << bad;
  EXPECT_THAT(refusal({.min_samples = 0}), HasSubstr("min_samples"));
  EXPECT_THAT(refusal({.min_samples = 20, .max_samples = 19}), HasSubstr("max_samples is 19"));
  EXPECT_EQ(refusal({}), "accepted");
}

TEST(StopReason, HasTheRecordsNames) {
  EXPECT_EQ(name(StopReason::relative_ci), "relative_ci");
  EXPECT_EQ(name(StopReason::max_samples), "max_samples");
  EXPECT_EQ(name(StopReason::max_seconds), "max_seconds");
}

}  // namespace
}  // namespace busbar
