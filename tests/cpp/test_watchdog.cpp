#include <gtest/gtest.h>
#include <limits.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <future>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "measure/progress.h"
#include "measure/watchdog.h"

namespace busbar {
namespace {

constexpr Nanoseconds second{1'000'000'000};

// A clock that the test moves, for any thread to read.
class HandClock final : public Clock {
 public:
  Nanoseconds now() const noexcept override { return Nanoseconds{now_.load()}; }
  Nanoseconds wait_until(Nanoseconds) const noexcept override { return now(); }
  void nap(Nanoseconds) const noexcept override {}
  void advance(Nanoseconds by) { now_ += by.count(); }

 private:
  std::atomic<std::int64_t> now_{0};
};

// Where the watchdog writes; reading blocks until a line is there.
class Pipe {
 public:
  Pipe() { EXPECT_EQ(pipe(ends_.data()), 0); }
  ~Pipe() {
    close(ends_[0]);
    close(ends_[1]);
  }
  int in() const { return ends_[1]; }
  std::string read_once() const {
    std::array<char, PIPE_BUF> text;
    const ssize_t n = read(ends_[0], text.data(), text.size());
    return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(n, 0))};
  }

 private:
  std::array<int, 2> ends_{};
};

struct Kennel {
  HandClock clock;
  Progress progress{Nanoseconds{0}, 30 * second};
  Pipe pipe;
  std::promise<void> exited;
  WatchdogOptions options{
      .host = "host3", .grace = 2 * second, .fd = pipe.in(), .exit = [this] { exited.set_value(); }};
};

nlohmann::json parse(const std::string& line) {
  const std::string mark = "busbar-watchdog: ";
  EXPECT_EQ(line.substr(0, mark.size()), mark);
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_EQ(line.back(), '\n');
  return nlohmann::json::parse(line.substr(mark.size()));
}

TEST(Watchdog, SaysWhereItHangsThenEndsTheProcess) {
  Kennel k;
  Watchdog watchdog(k.progress, k.clock, k.options);
  k.progress.set_rank(ProcessId{2});
  k.progress.enter(Phase::idle, k.clock.now());
  k.progress.begin_point("all_reduce", Bytes{8}, "default", 60 * second);
  k.progress.enter(Phase::operation, k.clock.now());
  k.clock.advance(60 * second);
  watchdog.look();
  const auto line = k.pipe.read_once();
  EXPECT_EQ(parse(line), nlohmann::json::parse(R"({"rank": 2, "host": "host3", "sequence": 2, "phase": "operation",
      "operation": "all_reduce", "size_bytes": 8, "variant": "default", "role": "worker", "waits_for": null,
      "waited_s": 60.0})"));
  EXPECT_EQ(line.find(R"({"rank":2,"host":"host3","role":"worker","sequence":2,"phase":"operation",)"), 17U) << line;
  k.clock.advance(2 * second);
  watchdog.look();
  k.exited.get_future().wait();
}

TEST(Watchdog, CoversInitialisation) {
  Kennel k;
  Watchdog watchdog(k.progress, k.clock, k.options);
  k.clock.advance(30 * second);
  watchdog.look();
  const auto line = parse(k.pipe.read_once());
  EXPECT_EQ(line["phase"], "init");
  EXPECT_TRUE(line["rank"].is_null());
  EXPECT_TRUE(line["operation"].is_null());
  EXPECT_TRUE(line["size_bytes"].is_null());
  EXPECT_TRUE(line["variant"].is_null());
}

TEST(Watchdog, WaitsOutTheGrace) {
  Kennel k;
  auto exited = k.exited.get_future();
  {
    Watchdog watchdog(k.progress, k.clock, k.options);
    k.clock.advance(31 * second);
    watchdog.look();
    k.pipe.read_once();
    k.clock.advance(second);
    watchdog.look();
  }
  EXPECT_EQ(exited.wait_for(Nanoseconds{0}), std::future_status::timeout);
}

TEST(Watchdog, StopsAtOnce) {
  Kennel k;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) Watchdog(k.progress, k.clock, k.options);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 100 * Watchdog::longest_nap);
}

TEST(Watchdog, EndsTheProcessWithFour) {
  const auto hang = [] {
    HandClock clock;
    const Progress progress{Nanoseconds{0}, Nanoseconds{0}};
    const Watchdog watchdog(progress, clock, {.host = "h", .grace = Nanoseconds{0}});
    for (;;) pause();
  };
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(hang(), testing::ExitedWithCode(4), "busbar-watchdog: .*\"phase\":\"init\"");
}

TEST(Overdue, OnlyAfterTheDeadline) {
  Progress progress{5 * second, 10 * second};
  EXPECT_FALSE(overdue(progress.read(), 15 * second - Nanoseconds{1}));
  EXPECT_EQ(overdue(progress.read(), 15 * second), 10 * second);
  progress.enter(Phase::prepare, 15 * second);
  EXPECT_FALSE(overdue(progress.read(), 24 * second));
  EXPECT_EQ(overdue(progress.read(), 28 * second), 13 * second);
}

TEST(Overdue, IdleHasNoDeadline) {
  Progress progress{Nanoseconds{0}, second};
  progress.enter(Phase::idle, Nanoseconds{0});
  EXPECT_FALSE(overdue(progress.read(), 1'000'000 * second));
}

TEST(HangLine, AnAggregatorSaysWhoseMessageItLacks) {
  Progress progress{Nanoseconds{0}, second};
  progress.begin_point("all_reduce", Bytes{8}, "", second);
  progress.enter(Phase::operation, Nanoseconds{0});
  progress.set_waits_for(ProcessId{3});
  const auto line = parse(hang_line(progress.read(), {.host = "leaf1", .role = Role::aggregator}, second));
  EXPECT_EQ(line["role"], "aggregator");
  EXPECT_EQ(line["waits_for"], 3);
  EXPECT_TRUE(line["variant"].is_null());
  progress.enter(Phase::idle, Nanoseconds{0});
  EXPECT_FALSE(progress.read().waits_for);
}

TEST(HangLine, StaysInOnePipeWriteAndIsJsonWhateverTheNames) {
  Progress progress{Nanoseconds{0}, second};
  progress.begin_point(std::string(300, '\x01'), Bytes{1}, std::string(127, 'v') + "\xc3\xa9", second);
  const auto line = hang_line(progress.read(), WatchdogOptions{.host = std::string(64, 'h')}, second);
  EXPECT_LT(line.size(), static_cast<std::size_t>(PIPE_BUF));
  EXPECT_EQ(parse(line)["operation"].get<std::string>().size(), Progress::text_bytes);
}

// A rank that sat a visit out has entered fewer phases; that must not make it look late in the next one.
TEST(Progress, SequencesCanBeComparedAfterAVisitThatNotAllTookPartIn) {
  Progress member{Nanoseconds{0}, second};
  Progress outsider{Nanoseconds{0}, second};
  for (Progress* p : {&member, &outsider}) p->begin_visit();
  for (int i = 0; i < 10; ++i) member.enter(Phase::operation, Nanoseconds{0});
  for (Progress* p : {&member, &outsider}) p->begin_visit();
  EXPECT_EQ(member.read().sequence, outsider.read().sequence);
  member.enter(Phase::prepare, Nanoseconds{0});
  EXPECT_EQ(member.read().sequence, outsider.read().sequence + 1);
}

TEST(Progress, EveryPhaseHasItsName) {
  EXPECT_EQ(name(Phase::init), "init");
  EXPECT_EQ(name(Phase::idle), "idle");
  EXPECT_EQ(name(Phase::operation), "operation");
  EXPECT_EQ(name(Phase::finish), "finish");
}

// Writer and reader at full speed: what is read always belongs to one moment.
TEST(Progress, IsReadConsistently) {
  Progress progress{Nanoseconds{0}, second};
  constexpr int points = 2'000;
  std::jthread writer([&] {
    for (int i = 1; i <= points; ++i) {
      const std::string text(static_cast<std::size_t>(i) % Progress::text_bytes, static_cast<char>('a' + i % 26));
      progress.begin_point(text, Bytes{static_cast<std::uint64_t>(i)}, text, Nanoseconds{i});
      for (int k = 0; k < 20; ++k) progress.enter(k % 2 == 0 ? Phase::start : Phase::operation, Nanoseconds{k % 2});
    }
  });
  for (std::uint64_t last = 0; last < 20 * points;) {
    const auto s = progress.read();
    EXPECT_GE(s.sequence, last);
    last = s.sequence;
    if (s.sequence > 0) {
      EXPECT_EQ(s.phase, s.sequence % 2 != 0 ? Phase::start : Phase::operation);
      EXPECT_EQ(s.since.count(), s.sequence % 2 != 0 ? 0 : 1);
    }
    if (!s.size_bytes) continue;
    const auto i = static_cast<std::size_t>(*s.size_bytes);
    EXPECT_EQ(s.operation, std::string(i % Progress::text_bytes, static_cast<char>('a' + i % 26)));
    EXPECT_EQ(s.variant, s.operation);
    EXPECT_EQ(s.limit.count(), static_cast<std::int64_t>(i));
  }
}

}  // namespace
}  // namespace busbar
