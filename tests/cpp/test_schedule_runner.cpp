// The judge is judged: what a wrong schedule looks like to the schedule runner.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <utility>

#include "schedule_runner.h"

namespace busbar {
namespace {

using ::testing::HasSubstr;

/// Every rank's vector goes to the next rank, by whatever schedule the test wants.
class Scripted final : public Collective {
 public:
  explicit Scripted(std::function<Schedule(int self)> script) : script_(std::move(script)) {}
  Traits traits() const override { return {.name = "scripted", .summary = ""}; }
  double bus_factor(int) const override { return 1.0; }
  Layout layout(const Shape& shape, Rank) const override {
    return {.send = shape.elements, .recv = shape.elements, .input = shape.elements};
  }
  Answer answer(const Shape& shape, Rank self) const override {
    return {{0, shape.elements, Rank{(self.value + shape.ranks - 1) % shape.ranks}, 0}};
  }
  Schedule schedule(const Shape&, Rank self) const override { return script_(self.value); }

 private:
  std::function<Schedule(int)> script_;
};

constexpr Span send_all{BufferId::send, 0, 4};
constexpr Span recv_all{BufferId::recv, 0, 4};

std::string run_pair(const std::function<Schedule(int)>& script) {
  const Scripted collective(script);
  ::busbar::testing::ScheduleRunner runner(collective, {.ranks = 2, .elements = 4}, DataType::int32, std::nullopt, 1);
  const std::string failure = runner.run();
  return failure.empty() && runner.wrong() > 0 ? "wrong data" : failure;
}

Step step(std::vector<Send> sends, std::vector<Receive> receives) {
  return {{}, std::move(sends), std::move(receives), {}};
}

TEST(ScheduleRunner, AcceptsAnExchange) {
  EXPECT_EQ(run_pair([](int self) {
              const Rank peer{1 - self};
              return Schedule{{step({{peer, send_all}}, {{peer, recv_all}})}, 0};
            }),
            "");
}

TEST(ScheduleRunner, SeesADeadlock) {
  EXPECT_THAT(run_pair([](int self) {
                const Rank peer{1 - self};
                return Schedule{{step({}, {{peer, recv_all}}), step({{peer, send_all}}, {})}, 0};
              }),
              HasSubstr("deadlock"));
}

TEST(ScheduleRunner, SeesADeadlockThatBuffersWouldHide) {
  EXPECT_THAT(run_pair([](int self) {
                const Rank peer{1 - self};
                return Schedule{{step({{peer, send_all}}, {}), step({}, {{peer, recv_all}})}, 0};
              }),
              HasSubstr("deadlock"));
}

TEST(ScheduleRunner, SeesAMessageThatNobodyReceives) {
  EXPECT_THAT(run_pair([](int self) {
                return self == 0 ? Schedule{{step({{Rank{1}, send_all}}, {})}, 0} : Schedule{};
              }),
              HasSubstr("rank 0 is stuck"));
}

TEST(ScheduleRunner, SeesUnequalSizes) {
  EXPECT_THAT(run_pair([](int self) {
                const Rank peer{1 - self};
                return Schedule{{step({{peer, send_all}}, {{peer, {BufferId::recv, 0, 3}}})}, 0};
              }),
              HasSubstr("expects 3 elements"));
}

TEST(ScheduleRunner, SeesHazards) {
  const auto with_receive = [](Span into) {
    return run_pair([into](int self) {
      const Rank peer{1 - self};
      return Schedule{{step({{peer, {BufferId::recv, 0, 4}}}, {{peer, into}})}, 0};
    });
  };
  EXPECT_THAT(with_receive({BufferId::recv, 0, 4}), HasSubstr("what it is sending"));
  EXPECT_THAT(with_receive({BufferId::send, 0, 4}), HasSubstr("writes its send buffer"));
  EXPECT_THAT(with_receive({BufferId::recv, 2, 4}), HasSubstr("beyond a buffer"));
  EXPECT_THAT(with_receive({BufferId::scratch, 0, 4}), HasSubstr("beyond a buffer"));
}

TEST(ScheduleRunner, SeesWhatWasNeverWritten) {
  EXPECT_EQ(run_pair([](int) { return Schedule{}; }), "wrong data");
}

}  // namespace
}  // namespace busbar
