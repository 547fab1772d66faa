// Control planes made of messages: whole groups as threads, on sends that wait for their receivers.
#include <gtest/gtest.h>

#include <array>
#include <atomic>

#include "measure/endpoint_control.h"
#include "measure/exchange.h"
#include "thread_world.h"

namespace busbar {
namespace {

constexpr int most_ranks = 9;  // a power of two, one more, and all below

/// Runs `body(controls)` on every rank of a world.
void run(int ranks, const std::function<void(Controls&)>& body, Sends sends = Sends::wait) {
  ThreadWorld world(ranks, sends);
  world.run([&](Endpoint& endpoint) {
    EndpointControls controls(endpoint);
    body(controls);
  });
}

class EndpointControlOf : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Ranks, EndpointControlOf, ::testing::Range(1, most_ranks + 1));

TEST_P(EndpointControlOf, NobodyLeavesABarrierBeforeAllHaveCome) {
  constexpr int rounds = 20;
  std::array<std::atomic<int>, rounds> came{};
  run(GetParam(), [&](Controls& controls) {
    for (auto& count : came) {
      ++count;
      controls.workers().barrier();
      EXPECT_EQ(count, GetParam());
    }
  });
}

TEST_P(EndpointControlOf, ABroadcastBringsTheRootsBytesToAll) {
  run(GetParam(), [&](Controls& controls) {
    Control& all = controls.workers();
    EXPECT_EQ(all.size(), GetParam());
    EXPECT_EQ(broadcast_text(all, all.is_root() ? "the root's" : "mine"), "the root's");
    EXPECT_EQ(broadcast_text(all, ""), "");
  });
}

TEST_P(EndpointControlOf, AGatherHasEveryRanksBytesInOrder) {
  run(GetParam(), [&](Controls& controls) {
    Control& all = controls.workers();
    const auto texts = gather_texts(all, std::string(static_cast<std::size_t>(all.rank().value), 'x') + "|");
    ASSERT_EQ(texts.size(), static_cast<std::size_t>(all.is_root() ? GetParam() : 0));
    for (std::size_t r = 0; r < texts.size(); ++r) EXPECT_EQ(texts[r], std::string(r, 'x') + "|");
  });
}

TEST(EndpointControl, ASentMessageIsTakenForNoPartOfACollectiveCall) {
  const auto body = [](Controls& controls) {
    Control& all = controls.workers();
    int value = 1;
    if (all.is_root()) {
      all.send(Rank{1}, std::as_bytes(std::span{&value, 1}));
      broadcast_value(all, value = 2);
    } else {
      broadcast_value(all, value);
      EXPECT_EQ(value, 2);
      all.receive(Rank{0}, std::as_writable_bytes(std::span{&value, 1}));
      EXPECT_EQ(value, 1);
    }
  };
  run(2, body, Sends::do_not_wait);
}

TEST(EndpointControl, AGroupsRanksAreItsMembersInTheirOrder) {
  run(5, [](Controls& controls) {
    const std::vector<Rank> members{Rank{1}, Rank{3}, Rank{4}};
    const int self = controls.workers().rank().value;
    if (self == 0 || self == 2) return;
    const auto group = controls.of(members);
    EXPECT_EQ(group->size(), 3);
    const auto all = gather_value(*group, self);
    EXPECT_EQ(group->is_root(), self == 1);
    EXPECT_EQ(all, group->is_root() ? (std::vector{1, 3, 4}) : std::vector<int>{});
  });
}

TEST(EndpointControl, GroupsWithRanksInCommonDoNotMixTheirMessages) {
  const auto body = [](Controls& controls) {
    const std::unique_ptr<Control> one = controls.of({Rank{0}, Rank{1}});
    const std::unique_ptr<Control> other = controls.of({Rank{0}, Rank{1}});
    int value = 1;
    if (one->is_root()) {
      broadcast_value(*one, value);
      broadcast_value(*other, value = 2);
    } else {
      broadcast_value(*other, value);  // what was sent first is not taken for it
      EXPECT_EQ(value, 2);
      broadcast_value(*one, value);
      EXPECT_EQ(value, 1);
    }
  };
  run(2, body, Sends::do_not_wait);
}

TEST(EndpointControl, ManyOverlappingGroupsOneAfterTheOther) {
  constexpr int ranks = 6;
  run(ranks, [](Controls& controls) {
    const int self = controls.workers().rank().value;
    std::vector<std::unique_ptr<Control>> kept;
    for (int first = 0; first < ranks; ++first) {
      for (int last = first; last < ranks; ++last) {
        if (self < first || self > last) continue;
        std::vector<Rank> members;
        for (int r = first; r <= last; ++r) members.emplace_back(r);
        kept.push_back(controls.of(members));
        int begin = first;
        broadcast_value(*kept.back(), begin);
        EXPECT_EQ(begin, first);
      }
    }
    // The oldest still is what it was.
    for (const auto& group : kept) EXPECT_EQ(gather_value(*group, self).empty(), !group->is_root());
  });
}

TEST(ThreadWorld, TellsRanksThatWaitForEachOther) {
  EXPECT_THROW(
      run(2, [](Controls& controls) { controls.workers().send(Rank{1 - controls.workers().rank().value}, {}); }),
      std::runtime_error);
  EXPECT_THROW(run(3,
                   [](Controls& controls) {
                     if (!controls.workers().is_root()) controls.workers().barrier();
                   }),
               std::exception);
}

}  // namespace
}  // namespace busbar
