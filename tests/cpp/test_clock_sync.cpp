#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <string>
#include <vector>

#include "measure/clock_model.h"
#include "measure/clock_sync.h"
#include "tests/cpp/fake_control.h"

namespace busbar {
namespace {

using fake::FakeWorld;
using fake::VirtualClock;

constexpr Nanoseconds microsecond{1'000};
constexpr Nanoseconds millisecond{1'000'000};
constexpr Nanoseconds second{1'000'000'000};

std::uint64_t own_domain(Rank rank) { return static_cast<std::uint64_t>(rank.value); }

// Each rank's clock with an offset of up to an hour and a drift of up to 80 ppm either way.
void scatter_clocks(FakeWorld& world) {
  std::mt19937_64 random(3);
  std::uniform_int_distribution<std::int64_t> offset(-3600 * second.count(), 3600 * second.count());
  std::uniform_real_distribution<double> drift(-80.0, 80.0);
  for (int r = 0; r < world.size(); ++r) world.clock(Rank{r}).set(Nanoseconds{offset(random)}, drift(random));
}

// 5 µs on average, now and then 1 ms, and towards the higher rank 8 µs more than back.
Nanoseconds rough_network(Rank from, Rank to, std::mt19937_64& random) {
  const double jitter = std::exponential_distribution<double>(1.0 / 5'000.0)(random);
  const bool hiccup = random() % 50 == 0;
  return 2 * microsecond + Nanoseconds{static_cast<std::int64_t>(jitter)} + (hiccup ? millisecond : Nanoseconds{0}) +
         (from.value < to.value ? 8 * microsecond : Nanoseconds{0});
}

// How far a rank's idea of global time is off at true time `t`.
Nanoseconds true_error(FakeWorld& world, const ClockSync& sync, Rank rank, Nanoseconds t) {
  return std::chrono::abs(sync.to_global(world.clock(rank).local_at(t)) - world.clock(Rank{0}).local_at(t));
}

TEST(ClockSync, OneDomainNeedsNoMessages) {
  FakeWorld world(4);
  world.run([](Control& control, VirtualClock& clock) {
    ClockSync sync(control, clock, 99);
    const Nanoseconds before = clock.true_time();
    sync.sync();
    EXPECT_EQ(clock.true_time(), before);
    EXPECT_EQ(sync.domains(), 1);
    EXPECT_EQ(sync.error(), Nanoseconds{0});
    EXPECT_EQ(sync.to_global(5 * second), 5 * second);
    EXPECT_EQ(sync.to_local(5 * second), 5 * second);
    EXPECT_EQ(sync.worst_error_at(5 * second), Nanoseconds{0});
  });
}

TEST(ClockSync, OneRank) {
  FakeWorld world(1);
  world.run([](Control& control, VirtualClock& clock) {
    ClockSync sync(control, clock, 1);
    sync.sync();
    EXPECT_EQ(sync.error(), Nanoseconds{0});
  });
}

// For any number of clocks, between and after readings: never wronger than stated.
TEST(ClockSync, TrueErrorNeverExceedsStatedError) {
  for (const int ranks : {2, 3, 4, 5, 8, 13}) {
    FakeWorld world(ranks, static_cast<std::uint64_t>(ranks));
    scatter_clocks(world);
    world.set_delay(rough_network);
    world.run([&](Control& control, VirtualClock& clock) {
      ClockSync sync(control, clock, own_domain(control.rank()));
      for (int block = 0; block < 30; ++block) {
        sync.sync();
        for (const Nanoseconds later : {Nanoseconds{0}, 10 * millisecond, second}) {
          const Nanoseconds t = clock.true_time() + later;
          EXPECT_LE(true_error(world, sync, control.rank(), t), sync.error_at(clock.local_at(t)))
              << "rank " << control.rank().value << " of " << ranks << ", block " << block;
        }
        clock.advance(block % 3 == 0 ? second : 30 * millisecond);
      }
    });
  }
}

// A bound that is never exceeded because it is enormous would be worth nothing.
TEST(ClockSync, StatedErrorIsUseful) {
  FakeWorld world(8);
  scatter_clocks(world);
  world.set_delay([](Rank, Rank, std::mt19937_64&) { return 5 * microsecond; });
  world.run([](Control& control, VirtualClock& clock) {
    ClockSync sync(control, clock, own_domain(control.rank()));
    for (int block = 0; block < 12; ++block) {
      sync.sync();
      clock.advance(second);
    }
    // Half a round trip of 10 µs for each of at most three steps, and as much again for surprise and drift.
    EXPECT_LE(sync.error(), 40 * microsecond);
    EXPECT_LE(sync.error_at(clock.now() + second), 60 * microsecond);
    EXPECT_LE(sync.worst_error_at(sync.to_global(clock.now())), 60 * microsecond);
    if (control.is_root()) {
      EXPECT_EQ(sync.error(), Nanoseconds{0});
    }
  });
}

// Six ranks on three hosts, ranks dealt out in turn: leaders are 0, 1 and 2.
TEST(ClockSync, MembersTakeOverTheirLeadersModel) {
  constexpr std::array<std::uint64_t, 3> hosts{70, 50, 60};
  FakeWorld world(6);
  for (int r = 0; r < 6; ++r) world.clock(Rank{r}).set((r % 3) * 100 * second, (r % 3) * 20.0);
  world.set_delay(rough_network);
  world.run([&](Control& control, VirtualClock& clock) {
    const int me = control.rank().value;
    ClockSync sync(control, clock, hosts[static_cast<std::size_t>(me % 3)]);
    sync.sync();
    EXPECT_EQ(sync.domains(), 3);
    for (int r = 0; r < 6; ++r) EXPECT_EQ(sync.domain(Rank{r}), r % 3);
    if (me % 3 == 0) {
      EXPECT_EQ(sync.error(), Nanoseconds{0});
    }
    const Nanoseconds t = clock.true_time();
    EXPECT_LE(true_error(world, sync, control.rank(), t), sync.error_at(clock.local_at(t)));
  });
}

TEST(ClockSync, TakesAHundredMillisecondsOnlyOnce) {
  FakeWorld world(4);
  world.run([](Control& control, VirtualClock& clock) {
    ClockSync sync(control, clock, own_domain(control.rank()));
    sync.sync();
    const Nanoseconds after_first = clock.true_time();
    EXPECT_GE(after_first, ClockTracker::least_span);
    EXPECT_LE(after_first, ClockTracker::least_span + 2 * millisecond);
    sync.sync();
    EXPECT_LE(clock.true_time() - after_first, millisecond);
  });
}

TEST(ClockModel, ThereAndBack) {
  const ClockModel model{.local_ns = 7'000'000'000, .offset_ns = -123'456'789, .drift = 85e-6};
  for (const std::int64_t ns : {0LL, 7'000'000'000LL, 7'000'000'001LL, 987'654'321'987LL}) {
    EXPECT_NEAR(static_cast<double>(model.to_local(model.to_global(Nanoseconds{ns})).count() - ns), 0.0, 1.0) << ns;
  }
}

TEST(ClockModel, AloneIsGlobal) {
  EXPECT_EQ(ClockModel{}.to_global(second), second);
  EXPECT_EQ(ClockModel{}.error_at(second), Nanoseconds{0});
}

TEST(ClockTracker, LearnsDriftFromReadingsFarEnoughApart) {
  ClockTracker tracker;
  tracker.add({.local = second, .offset = Nanoseconds{500}, .error = Nanoseconds{10}});
  EXPECT_FALSE(tracker.has_drift());
  tracker.add({.local = second + 10 * millisecond, .offset = Nanoseconds{1'000}, .error = Nanoseconds{10}});
  EXPECT_FALSE(tracker.has_drift());
  tracker.add({.local = 2 * second, .offset = Nanoseconds{50'500}, .error = Nanoseconds{10}});
  EXPECT_TRUE(tracker.has_drift());
  EXPECT_NEAR(tracker.model().drift, 50e-6, 1e-9);
  EXPECT_NEAR(tracker.model().drift_error, 20e-9, 1e-9);
}

// A clock that changes its pace (NTP, temperature) surprises the model, and the stated error tells.
TEST(ClockTracker, SurpriseEntersTheError) {
  ClockTracker tracker;
  std::int64_t offset = 0;
  for (int s = 1; s <= 5; ++s) {
    tracker.add({.local = s * second, .offset = Nanoseconds{offset}, .error = Nanoseconds{100}});
    offset += 10'000;
  }
  EXPECT_LT(tracker.model().error_at(5 * second), microsecond);
  tracker.add({.local = 6 * second, .offset = Nanoseconds{offset + 40'000}, .error = Nanoseconds{100}});
  EXPECT_NEAR(static_cast<double>(tracker.model().error_at(6 * second).count()), 40'100.0, 2.0);
  EXPECT_GE(tracker.model().error_at(8 * second), 80 * microsecond);
}

// What the two clocks' readings say is believed even where no crystal should drift so far.
TEST(ClockTracker, BelievesReadingsOverPriorKnowledge) {
  ClockTracker tracker;
  tracker.add({.local = Nanoseconds{0}, .offset = Nanoseconds{0}, .error = Nanoseconds{100}});
  tracker.add({.local = second, .offset = 50 * millisecond, .error = Nanoseconds{100}});
  EXPECT_NEAR(tracker.model().drift, 0.05, 1e-6);
}

TEST(FakeWorld, FindsRanksThatWaitForEachOther) {
  FakeWorld world(3);
  EXPECT_THROW(world.run([](Control& control, VirtualClock&) {
    if (control.rank() == Rank{1}) control.barrier();
  }),
               fake::Stuck);
}

TEST(FakeWorld, ReportsTheRankThatFailed) {
  FakeWorld world(3);
  EXPECT_THROW(world.run([](Control& control, VirtualClock&) {
    if (control.rank() == Rank{2}) throw std::out_of_range("rank 2");
    control.barrier();
  }),
               std::out_of_range);
}

TEST(FakeWorld, TimeIsTheSameInEveryRun) {
  const auto end_of_run = [] {
    FakeWorld world(5);
    scatter_clocks(world);
    world.set_delay(rough_network);
    world.run(
        [](Control& control, VirtualClock& clock) { ClockSync(control, clock, own_domain(control.rank())).sync(); });
    return world.clock(Rank{0}).true_time();
  };
  EXPECT_EQ(end_of_run(), end_of_run());
}

}  // namespace
}  // namespace busbar
