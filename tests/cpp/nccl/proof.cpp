// What was asked for against what the profiler plugin saw: settings go through configuration and tuner, and nothing is
// taken for granted.
#include <gtest/gtest.h>

#include <algorithm>

#include "bench/workload.h"
#include "collectives/registry.h"
#include "core/error.h"
#include "nccl/variable.h"
#include "nccl/world.h"

namespace busbar::testing {
namespace {

/// What is seen of one execution under `settings`, which must be acceptable.
Observation observe(const Settings& settings, std::string_view operation = "all_reduce") {
  Process& here = process();
  const Collective& collective = find_collective(operation);
  EXPECT_EQ(here.transport->objection(settings, collective), std::nullopt);
  const auto channel = here.transport->open(here.all(), settings);
  const OperationSpec spec{.collective = &collective,
                           .shape = {.ranks = here.world.workers(), .elements = 300},
                           .type = DataType::float32,
                           .redop = collective.traits().reduces ? std::optional{RedOp::sum} : std::nullopt};
  Workload workload(*channel, here.memory, spec, Rank{here.rank()}, 5);
  workload.operation().enqueue(0);
  workload.operation().complete();
  EXPECT_EQ(workload.verify(0).wrong, 0U);
  return channel->observe();
}

class Proof : public ::testing::Test {
 protected:
  // Every rank a node of its own, so that there is something between nodes.
  const std::string node_ = std::to_string(process().rank());
  const Variable host_id_{"NCCL_HOSTID", node_.c_str()};
};

TEST_F(Proof, WithoutSettingsNcclsChoiceIsSeen) {
  const Observation seen = observe({});
  EXPECT_EQ(seen.algorithm, "RING");
  EXPECT_EQ(seen.protocol, "SIMPLE");
  EXPECT_EQ(seen.channels, 2);
  EXPECT_EQ(seen.in_network, false);
}

TEST_F(Proof, ATableDecidesAndOnlyForItsVariant) {
  const Observation seen = observe({{"algorithm", "tree"}, {"protocol", "ll128"}, {"channels", "7"}});
  EXPECT_EQ(seen.algorithm, "TREE");
  EXPECT_EQ(seen.protocol, "LL128");
  EXPECT_EQ(seen.channels, 7);
  EXPECT_EQ(observe({}).algorithm, "RING");
}

TEST_F(Proof, ChannelsAloneGoThroughTheConfiguration) { EXPECT_EQ(observe({{"channels", "5"}}).channels, 5); }

TEST_F(Proof, CollNetIsSeenWhereItRan) {
  const Observation seen = observe({{"in_network", "sharp"}});
  EXPECT_EQ(seen.algorithm, "COLLNET_CHAIN");
  EXPECT_EQ(seen.in_network, true);
  EXPECT_EQ(seen.channels, std::nullopt);  // NCCL does not tell
}

TEST_F(Proof, CollNetThatWasRefusedInSilenceIsSeen) {
  const Variable fault("BUSBAR_FAKE_NCCL_FAULT", "refuse_collnet");
  const Observation seen = observe({{"in_network", "collnet"}});
  EXPECT_EQ(seen.algorithm, "RING");
  EXPECT_EQ(seen.in_network, false);
}

TEST_F(Proof, CollNetChannelsTakeTurns) {
  Process& here = process();
  const Settings sharp{{"in_network", "sharp"}};
  const auto first = here.transport->open(here.all(), sharp);
  for (int turn = 0; turn < 2; ++turn) EXPECT_EQ(observe({{"in_network", "collnet"}}).in_network, true);
  const OperationSpec spec{.collective = &find_collective("all_reduce"),
                           .shape = {.ranks = here.world.workers(), .elements = 300},
                           .type = DataType::float32,
                           .redop = RedOp::sum};
  const Workload holds_it(*first, here.memory, spec, Rank{here.rank()}, 5);
  const auto second = here.transport->open(here.all(), sharp);
  EXPECT_THROW(Workload(*second, here.memory, spec, Rank{here.rank()}, 5), UsageError);
}

TEST_F(Proof, NvlsIsSeenAndIsNoSharpOfTheFabric) {
  const Variable nvls("NCCL_NVLS_ENABLE", "1");
  const Observation seen = observe({{"in_network", "nvls"}});
  EXPECT_EQ(seen.algorithm, "NVLS");
  EXPECT_EQ(seen.in_network, true);
}

TEST_F(Proof, OffIsOffByTableOrByLaunch) {
  const Variable nvls("NCCL_NVLS_ENABLE", "1");
  EXPECT_EQ(observe({}).in_network, true);
  const Settings pinned{{"in_network", "off"}, {"algorithm", "ring"}, {"protocol", "simple"}};
  EXPECT_EQ(observe(pinned).in_network, false);
  EXPECT_TRUE(process().transport->objection({{"in_network", "off"}}, find_collective("all_reduce")).has_value());
  const Variable without("NCCL_NVLS_ENABLE", "0");
  EXPECT_EQ(observe({{"in_network", "off"}}).in_network, false);
}

TEST_F(Proof, SendsAndReceivesHaveNoAlgorithm) {
  EXPECT_EQ(observe({}, "all_to_all").algorithm, std::nullopt);
  EXPECT_EQ(observe({}, "send_recv").algorithm, "portable schedule");
}

}  // namespace
}  // namespace busbar::testing
