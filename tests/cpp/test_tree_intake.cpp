// What an aggregator tells the pace of its switch: all that its children sent of each chunk, execution by execution.
#include <gtest/gtest.h>

#include <vector>

#include "fake_messenger.h"
#include "transport/tree/aggregator.h"

namespace busbar::tree {
namespace {

struct Taken {
  std::uint64_t bytes;
  bool first;
  bool operator==(const Taken&) const = default;
};

class Meter final : public Intake {
 public:
  void take_in(Bytes bytes, bool first) override { taken.push_back({bytes.value, first}); }
  std::vector<Taken> taken;
};

constexpr int children = 3;
const ProcessId self{children};

/// Two executions of ten floats in chunks of four, by the first of `trees` trees, from children that send zeros.
std::vector<Taken> taken_in(TreeFlow flow, std::size_t trees, bool payload) {
  const Job job{.flow = flow,
                .type = DataType::float32,
                .ranks = children,
                .root = flow == TreeFlow::reduce_to_all ? std::nullopt : std::optional{Rank{0}},
                .elements = 10,
                .chunk = 4,
                .window = 2,
                .payload = payload};
  Node node{.process = self};
  for (int c = 0; c < children; ++c) node.children.push_back({ProcessId{c}, {Rank{c}}});
  FakePost post;
  FakeMessenger messenger(post, self, 1);
  messenger.reserve(Aggregator::handles(job, node));
  Meter meter;
  Aggregator aggregator(job, node, 0, trees, 0, messenger, &meter);
  aggregator.open();
  const Plan plan(job);
  for (int execution = 0; execution < 2; ++execution) {
    for (std::size_t index = 0; index < plan.chunks(); index += trees) {
      for (int c = 0; c < children; ++c) {
        const bool carries = plan.carries_up(job.root == Rank{c});
        post.put({ProcessId{c}, self}, FakePost::Message(carries ? plan.at(index).count * 4 : 0));
        aggregator.take(messenger.wait_any(aggregator.awaited()));
      }
    }
  }
  EXPECT_TRUE(aggregator.at_rest());
  aggregator.close();
  return meter.taken;
}

TEST(Intake, IsOfAllChildrenAndKnowsWhereAnExecutionBegins) {
  const std::vector<Taken> expected{{48, true}, {48, false}, {24, false}, {48, true}, {48, false}, {24, false}};
  EXPECT_EQ(taken_in(TreeFlow::reduce_to_all, 1, true), expected);
  EXPECT_EQ(taken_in(TreeFlow::reduce_to_owner, 1, true), expected);
  EXPECT_EQ(taken_in(TreeFlow::reduce_to_all, 1, false), expected);
}

TEST(Intake, IsSharedByTheTreesOfASwitch) {
  const std::vector<Taken> expected{{96, true}, {48, false}, {96, true}, {48, false}};
  EXPECT_EQ(taken_in(TreeFlow::reduce_to_all, 2, true), expected);
}

TEST(Intake, IsOfNoConcernWhereNothingIsReduced) { EXPECT_TRUE(taken_in(TreeFlow::owner_to_all, 1, true).empty()); }

}  // namespace
}  // namespace busbar::tree
