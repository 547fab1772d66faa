#include <gtest/gtest.h>

#include <functional>
#include <mutex>

#include "cpp/fake_control.h"
#include "measure/sampler.h"

namespace busbar {
namespace {

using fake::FakeWorld;
using fake::VirtualClock;
using std::chrono::microseconds;

/// What reading a virtual clock takes; the finish is read once inside the timed region.
constexpr double read_us = 0.02;

/// An operation that takes as long as a function of the execution says, and does nothing else.
class TimedOperation final : public Operation {
 public:
  TimedOperation(const VirtualClock& clock, std::function<Nanoseconds(int)> duration)
      : clock_(clock), duration_(std::move(duration)) {}
  void enqueue(int slot) override {
    slots.push_back(slot);
    clock_.advance(duration_(executions++));
  }
  void complete() override { ++completions; }

  std::vector<int> slots;
  int executions = 0;
  int completions = 0;

 private:
  const VirtualClock& clock_;
  std::function<Nanoseconds(int)> duration_;
};

class TimedSubject final : public Subject {
 public:
  TimedSubject(TimedOperation& operation, bool survives) : operation_(operation), survives_(survives) {}
  Operation& operation() override { return operation_; }
  void renew(int slot) override { renewed.push_back(slot); }
  void poison() override { poisoned_before.push_back(operation_.executions); }
  bool survives_batch() const override { return survives_; }

  std::vector<int> renewed;
  std::vector<int> poisoned_before;

 private:
  TimedOperation& operation_;
  bool survives_;
};

struct Seen {
  Samples samples;         ///< of rank 0
  std::vector<int> slots;  ///< of rank 0's executions, warm-up included
  int warmups = 0;
  std::vector<int> poisoned_before;
};

using Durations = std::function<Nanoseconds(Rank, int)>;

Seen run(FakeWorld& world, const SamplingPlan& plan, const Durations& durations, bool shared_clock = true,
         bool survives = true, const std::vector<std::size_t>& part_of = {}) {
  Seen seen;
  world.run([&](Control& control, VirtualClock& clock) {
    const Rank self = control.rank();
    ClockSync sync(control, clock, shared_clock ? 1 : static_cast<std::uint64_t>(self.value));
    Progress progress(clock.now(), std::chrono::seconds{60});
    TimedOperation operation(clock, [&](int execution) { return durations(self, execution); });
    TimedSubject subject(operation, survives);
    Sampler sampler(control, clock, sync, progress, nullptr, part_of);
    sampler.warm_up(subject, plan);
    const int warmups = operation.executions;
    Samples samples = sampler.sample(subject, plan);
    if (!control.is_root()) return;
    seen = {std::move(samples), operation.slots, warmups, subject.poisoned_before};
  });
  return seen;
}

SamplingPlan quick(std::size_t least, std::size_t most) {
  SamplingPlan plan;
  plan.stopping.min_samples = least;
  plan.stopping.max_samples = most;
  plan.warmup_seconds = 0;
  return plan;
}

TEST(Sampler, IsolatedTimeIsFromTheAgreedStartToTheSlowestFinish) {
  FakeWorld world(4);
  const Seen seen = run(world, quick(10, 100), [](Rank r, int) { return microseconds{10 + r.value}; });
  for (const double sample : seen.samples.samples_us) EXPECT_NEAR(sample, 13 + read_us, 1e-9);
  for (const int last : seen.samples.last_rank) EXPECT_EQ(last, 3);
  for (const auto& late : seen.samples.late_rank) EXPECT_EQ(late, std::nullopt);
  EXPECT_EQ(seen.samples.stop_reason, StopReason::relative_ci);
  for (int r = 0; r < 4; ++r) {
    EXPECT_NEAR(seen.samples.arrival_us.at(static_cast<std::size_t>(r)), 0, 1e-9);
    EXPECT_NEAR(seen.samples.finish_us.at(static_cast<std::size_t>(r)), 10 + r + read_us, 1e-9);
  }
  // OSU's estimator: each rank's own time, averaged over ranks.
  EXPECT_NEAR(seen.samples.mean_of_ranks_us, 11.5 + read_us, 1e-9);
  EXPECT_NEAR(seen.samples.root_mean_us, 10 + read_us, 1e-9);
}

TEST(Sampler, EachPartHasTheTimesOfItsOwnSlowestRank) {
  FakeWorld world(4);
  const auto durations = [](Rank r, int execution) { return microseconds{10 * (r.value + 1) + (execution & 1)}; };
  const Seen seen = run(world, quick(10, 100), durations, true, true, {1, 0, 1, 0});
  const auto& parts_us = seen.samples.parts_us;
  ASSERT_EQ(parts_us.size(), 2U);
  ASSERT_EQ(parts_us[0].size(), seen.samples.samples_us.size());
  ASSERT_EQ(parts_us[1].size(), seen.samples.samples_us.size());
  for (std::size_t i = 0; i < parts_us[0].size(); ++i) {
    EXPECT_EQ(parts_us[0][i], seen.samples.samples_us[i]);  // ranks 1 and 3, and 3 is the slowest of all
    EXPECT_NEAR(parts_us[0][i] - parts_us[1][i], 10, 1e-9);
  }
}

TEST(Sampler, ClocksThatDifferAddNoMoreThanTheStatedError) {
  FakeWorld world(4);
  world.clock(Rank{1}).set(std::chrono::seconds{5}, 20);
  world.clock(Rank{2}).set(std::chrono::seconds{-3}, -15);
  world.clock(Rank{3}).set(std::chrono::hours{9}, 40);
  const Seen seen = run(
      world, quick(50, 50), [](Rank, int) { return microseconds{100}; }, /*shared_clock=*/false);
  const double error_us = as_us(seen.samples.clock_error);
  EXPECT_GT(error_us, 0);
  EXPECT_LT(error_us, 20);
  for (const double sample : seen.samples.samples_us) EXPECT_NEAR(sample, 100, error_us + 1);
}

TEST(Sampler, ARankThatLearnsTheStartTooLateIsNamed) {
  FakeWorld world(3);
  world.set_delay([](Rank, Rank to, std::mt19937_64& random) {
    const bool hiccup = to == Rank{2} && random() % 50 == 0;
    return hiccup ? Nanoseconds{2'000'000} : Nanoseconds{1'000};
  });
  const Seen seen = run(world, quick(200, 200), [](Rank, int) { return microseconds{10}; });
  std::size_t late = 0;
  for (std::size_t i = 0; i < seen.samples.samples_us.size(); ++i) {
    if (!seen.samples.late_rank[i]) {
      EXPECT_LT(seen.samples.samples_us[i], 12);
      continue;
    }
    ++late;
    EXPECT_EQ(seen.samples.late_rank[i], 2);
    EXPECT_EQ(seen.samples.last_rank[i], 2);
    EXPECT_GT(seen.samples.samples_us[i], 1000);
  }
  EXPECT_GT(late, 0U);
  EXPECT_LT(late, 50U);
}

TEST(Sampler, SlowBroadcastsAreCoveredByTheLead) {
  FakeWorld world(3);
  world.set_delay([](Rank, Rank, std::mt19937_64&) { return Nanoseconds{300'000}; });
  SamplingPlan plan = quick(100, 100);
  plan.warmup_samples = 12;
  const Seen seen = run(world, plan, [](Rank, int) { return microseconds{10}; });
  for (const double sample : seen.samples.samples_us) EXPECT_NEAR(sample, 10 + read_us, 1e-9);
}

TEST(Sampler, SamplesUntilTheIntervalIsNarrowAndNotLonger) {
  FakeWorld world(2);
  const auto noisy = [](Rank, int execution) { return Nanoseconds{10'000 + 37 * (execution * 7919 % 101)}; };
  SamplingPlan plan = quick(10, 1000);
  const Seen narrow = run(world, plan, noisy);
  EXPECT_EQ(narrow.samples.stop_reason, StopReason::relative_ci);
  EXPECT_LT(narrow.samples.samples_us.size(), 1000U);
  plan.stopping.relative_ci = 1e-6;
  FakeWorld other(2);
  const Seen all = run(other, plan, noisy);
  EXPECT_EQ(all.samples.stop_reason, StopReason::max_samples);
  EXPECT_EQ(all.samples.samples_us.size(), 1000U);
}

TEST(Sampler, TheTimeLimitHoldsWhereOneSampleIsLong) {
  FakeWorld world(2);
  const Seen seen = run(world, quick(10, 1000), [](Rank, int) { return std::chrono::seconds{3}; });
  EXPECT_EQ(seen.samples.stop_reason, StopReason::max_seconds);
  EXPECT_EQ(seen.samples.samples_us.size(), 2U);  // the one that passed the limit, and the verified one
}

TEST(Sampler, OneSampleIsOneExecutionAndItIsPoisonedAndVerified) {
  FakeWorld world(2);
  const Seen seen = run(world, quick(1, 1), [](Rank, int) { return microseconds{1}; });
  EXPECT_EQ(seen.samples.samples_us.size(), 1U);
  EXPECT_EQ(seen.samples.executions, 1U);
  EXPECT_EQ(seen.poisoned_before, std::vector{seen.warmups});
  EXPECT_EQ(seen.samples.last_slot, seen.slots.back());
}

TEST(Sampler, ConsecutiveSamplesUseDifferentInputsAndTheLastIsVerified) {
  FakeWorld world(2);
  const Seen seen = run(world, quick(20, 20), [](Rank, int) { return microseconds{1}; });
  for (std::size_t i = static_cast<std::size_t>(seen.warmups) + 1; i < seen.slots.size(); ++i) {
    EXPECT_NE(seen.slots[i], seen.slots[i - 1]);
  }
  EXPECT_EQ(seen.samples.last_slot, seen.slots.back());
  EXPECT_EQ(seen.poisoned_before, std::vector{static_cast<int>(seen.slots.size()) - 1});
}

TEST(Sampler, PipelinedTimeIsPerExecutionOfABatch) {
  FakeWorld world(2);
  SamplingPlan plan = quick(10, 10);
  plan.pipelined = true;
  const Seen seen = run(world, plan, [](Rank r, int) { return microseconds{10 + 10 * r.value}; });
  const auto batch = seen.samples.executions / seen.samples.samples_us.size();
  EXPECT_GE(batch, 20U);
  for (const double sample : seen.samples.samples_us) {
    EXPECT_NEAR(sample, 20 + read_us / static_cast<double>(batch), 1e-9);
  }
  // nccl-tests' estimator: the mean over ranks.
  EXPECT_NEAR(seen.samples.mean_of_ranks_us, 15 + read_us / static_cast<double>(batch), 1e-9);
  EXPECT_EQ(seen.samples.last_slot, seen.slots.back());
}

TEST(Sampler, ABatchThatUsesItsInputsUpIsFollowedByOneVerifiedExecution) {
  FakeWorld world(2);
  SamplingPlan plan = quick(3, 3);
  plan.pipelined = true;
  const Seen seen = run(
      world, plan, [](Rank, int) { return microseconds{10}; }, /*shared_clock=*/true, /*survives=*/false);
  EXPECT_EQ(seen.poisoned_before.back(), static_cast<int>(seen.slots.size()) - 1);
  EXPECT_EQ(seen.samples.last_slot, seen.slots.back());
  EXPECT_EQ(seen.samples.executions, seen.slots.size() - static_cast<std::size_t>(seen.warmups));
}

TEST(Sampler, ARoundTripIsReportedAsOneWay) {
  FakeWorld world(2);
  SamplingPlan plan = quick(10, 10);
  plan.time_share = 0.5;
  const Seen seen = run(world, plan, [](Rank, int) { return microseconds{10}; });
  for (const double sample : seen.samples.samples_us) EXPECT_NEAR(sample, (10 + read_us) / 2, 1e-9);
}

TEST(Sampler, TheRestBetweenSamplesIsKept) {
  FakeWorld world(2);
  SamplingPlan plan = quick(10, 10);
  plan.rest = std::chrono::milliseconds{3};
  Nanoseconds before{};
  std::vector<Nanoseconds> gaps;
  world.run([&](Control& control, VirtualClock& clock) {
    ClockSync sync(control, clock, 1);
    Progress progress(clock.now(), std::chrono::seconds{60});
    TimedOperation operation(clock, [&](int) {
      if (control.is_root()) {
        gaps.push_back(clock.true_time() - before);
        before = clock.true_time() + microseconds{10};
      }
      return microseconds{10};
    });
    TimedSubject subject(operation, true);
    Sampler sampler(control, clock, sync, progress, nullptr);
    sampler.warm_up(subject, plan);
    sampler.sample(subject, plan);
  });
  for (std::size_t i = 1; i < gaps.size(); ++i) EXPECT_GE(gaps[i], plan.rest);
}

TEST(Sampler, TheFirstCallIsKept) {
  FakeWorld world(2);
  const Seen seen =
      run(world, quick(10, 10), [](Rank, int execution) { return microseconds{execution == 0 ? 500 : 10}; });
  EXPECT_NEAR(seen.samples.first_call_us.value(), 500 + read_us, 1e-9);
  for (const double sample : seen.samples.samples_us) EXPECT_NEAR(sample, 10 + read_us, 1e-9);
}

}  // namespace
}  // namespace busbar
