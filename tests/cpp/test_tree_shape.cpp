#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "transport/tree/shape.h"

namespace busbar::tree {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Processes 0-3 work on host1…host4; then aggregators 4 on leaf1, 5 on leaf2, 6 on spine.
std::vector<Place> two_levels() {
  return {{"host1", Role::worker},     {"host2", Role::worker},     {"host3", Role::worker},    {"host4", Role::worker},
          {"leaf1", Role::aggregator}, {"leaf2", Role::aggregator}, {"spine", Role::aggregator}};
}

constexpr auto two_level_text = "host1=leaf1,host2=leaf1,host3=leaf2,host4=leaf2,leaf1=spine,leaf2=spine";

std::vector<ProcessId> processes(std::initializer_list<int> numbers) { return {numbers.begin(), numbers.end()}; }

std::string refusal(const std::vector<std::string>& texts, const std::vector<Place>& places = two_levels()) {
  try {
    wire(texts, places);
  } catch (const UsageError& problem) {
    return problem.what();
  }
  return "accepted";
}

TEST(TreeShape, WithoutTextsEveryAggregatorIsATreeOfItsOwn) {
  const auto wirings =
      wire({}, {{"a", Role::worker}, {"b", Role::worker}, {"s", Role::aggregator}, {"s", Role::aggregator}});
  ASSERT_EQ(wirings.size(), 2U);
  EXPECT_EQ(wirings[0], (Wiring{{ProcessId{0}, ProcessId{2}}, {ProcessId{1}, ProcessId{2}}}));
  EXPECT_EQ(wirings[1], (Wiring{{ProcessId{0}, ProcessId{3}}, {ProcessId{1}, ProcessId{3}}}));
  EXPECT_TRUE(wire({}, {{"a", Role::worker}}).empty());
}

TEST(TreeShape, TwoLevelsHaveTheTopFirstAndChildrenInRankOrder) {
  const auto wirings = wire({two_level_text}, two_levels());
  ASSERT_EQ(wirings.size(), 1U);
  const Tree tree = prune(wirings[0], processes({0, 1, 2, 3}));
  EXPECT_EQ(tree.levels, 2);
  ASSERT_EQ(tree.nodes.size(), 3U);
  EXPECT_EQ(tree.nodes[0].process, ProcessId{6});
  EXPECT_FALSE(tree.nodes[0].parent);
  ASSERT_EQ(tree.nodes[0].children.size(), 2U);
  EXPECT_EQ(tree.nodes[0].children[0].process, ProcessId{4});
  EXPECT_THAT(tree.nodes[0].children[1].ranks, ElementsAre(Rank{2}, Rank{3}));
  EXPECT_EQ(tree.nodes[1].parent, ProcessId{6});
  EXPECT_THAT(tree.parents, ElementsAre(ProcessId{4}, ProcessId{4}, ProcessId{5}, ProcessId{5}));
}

TEST(TreeShape, AGroupBelowOneLeafNeedsNoSpine) {
  const auto wirings = wire({two_level_text}, two_levels());
  const Tree tree = prune(wirings[0], processes({2, 3}));
  ASSERT_EQ(tree.nodes.size(), 1U);
  EXPECT_EQ(tree.nodes[0].process, ProcessId{5});
  EXPECT_EQ(tree.levels, 1);
  EXPECT_THAT(tree.nodes[0].children[0].ranks, ElementsAre(Rank{0}));
}

TEST(TreeShape, AGroupOfOneRankHasItsOwnNode) {
  const auto wirings = wire({two_level_text}, two_levels());
  const Tree tree = prune(wirings[0], processes({1}));
  ASSERT_EQ(tree.nodes.size(), 1U);
  EXPECT_EQ(tree.nodes[0].process, ProcessId{4});
}

TEST(TreeShape, ParallelTreesTakeAggregatorsInTurn) {
  auto places = two_levels();
  for (const auto* host : {"leaf1", "leaf2", "spine"}) places.push_back({host, Role::aggregator});
  const auto wirings = wire({two_level_text, two_level_text}, places);
  ASSERT_EQ(wirings.size(), 2U);
  EXPECT_EQ(wirings[0].at(ProcessId{0}), ProcessId{4});
  EXPECT_EQ(wirings[1].at(ProcessId{0}), ProcessId{7});
  EXPECT_EQ(wirings[1].at(ProcessId{7}), ProcessId{9});
}

TEST(TreeShape, WhatIsWrongIsNamed) {
  EXPECT_THAT(refusal({"host1"}), HasSubstr("'host1' in tree"));
  EXPECT_THAT(refusal({""}), HasSubstr("empty"));
  EXPECT_THAT(refusal({"host1=leaf1,host1=leaf2"}), HasSubstr("'host1' two parents"));
  EXPECT_THAT(refusal({"host1=leaf1,host2=leaf2"}), HasSubstr("2 tops (leaf1, leaf2)"));
  EXPECT_THAT(refusal({"leaf1=leaf2,leaf2=leaf1"}), HasSubstr("circle"));
  EXPECT_THAT(refusal({"host1=leaf1,host2=leaf1,host3=leaf1"}), HasSubstr("no parent for host 'host4'"));
  EXPECT_THAT(refusal({"host1=leaf1,host2=leaf1,host3=leaf1,host4=leaf9,leaf9=leaf1"}), HasSubstr("on host 'leaf9'"));
  EXPECT_THAT(refusal({two_level_text, two_level_text}), HasSubstr("none is free there"));
}

}  // namespace
}  // namespace busbar::tree
