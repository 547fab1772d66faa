#ifdef BUSBAR_HAS_NCCL
#include <gtest/gtest.h>

#include <cstring>

#include "transport/nccl/observation.h"

namespace busbar::nccl {
namespace {

ProfiledRecord record(const char* algorithm, const char* protocol, int channels, const char* function = "AllReduce") {
  ProfiledRecord r{};
  r.stage = busbar_profiler_enqueued;
  std::strncpy(r.function, function, sizeof(r.function) - 1);
  std::strncpy(r.algorithm, algorithm, sizeof(r.algorithm) - 1);
  std::strncpy(r.protocol, protocol, sizeof(r.protocol) - 1);
  r.channels = channels;
  r.times = 3;
  return r;
}

Observation seen(const std::vector<ProfiledRecord>& records, int nodes = 2, std::uint64_t lost = 0,
                 InNetwork asked = InNetwork::unset) {
  ProfiledCommunicator communicator{};
  communicator.nodes = nodes;
  communicator.lost = lost;
  Observation o;
  add_profile(o, records, communicator, "AllReduce", asked);
  return o;
}

TEST(NcclObservation, IsWhatAllRecordsAgreeOn) {
  const Observation o = seen({record("RING", "LL", 4), record("RING", "LL", 4), record("TREE", "LL", 2, "Reduce")});
  EXPECT_EQ(o.algorithm, "RING");
  EXPECT_EQ(o.protocol, "LL");
  EXPECT_EQ(o.channels, 4);
  EXPECT_EQ(o.in_network, false);
}

TEST(NcclObservation, WhatRecordsDifferInIsNotKnown) {
  const Observation o = seen({record("RING", "LL", 4), record("COLLNET_CHAIN", "SIMPLE", 0)});
  EXPECT_EQ(o.algorithm, std::nullopt);
  EXPECT_EQ(o.protocol, std::nullopt);
  EXPECT_EQ(o.in_network, std::nullopt);
  EXPECT_EQ(o.how.size(), 2U);
}

TEST(NcclObservation, NothingSeenProvesNothing) {
  EXPECT_EQ(seen({}).in_network, std::nullopt);
  EXPECT_EQ(seen({record("", "", -1)}).in_network, std::nullopt);
  EXPECT_EQ(seen({record("COLLNET_CHAIN", "SIMPLE", 0)}, 2, 1).in_network, std::nullopt);
}

TEST(NcclObservation, WhichSwitchesReducedDependsOnNodesAndAlgorithm) {
  EXPECT_EQ(is_in_network("COLLNET_DIRECT", 2, InNetwork::sharp), true);
  EXPECT_EQ(is_in_network("NVLS", 2, InNetwork::sharp), true);
  EXPECT_EQ(is_in_network("NVLS", 1, InNetwork::sharp), false);
  EXPECT_EQ(is_in_network("NVLS", std::nullopt, InNetwork::sharp), std::nullopt);
  EXPECT_EQ(is_in_network("NVLS_TREE", 2, InNetwork::sharp), false);
  EXPECT_EQ(is_in_network("NVLS", 1, InNetwork::nvls), true);
  EXPECT_EQ(is_in_network("NVLS_TREE", 2, InNetwork::nvls), true);
  EXPECT_EQ(is_in_network("COLLNET_CHAIN", 2, InNetwork::nvls), false);
  EXPECT_EQ(is_in_network("NVLS", 1, InNetwork::off), true);
  EXPECT_EQ(is_in_network("PAT", 2, InNetwork::off), false);
}

}  // namespace
}  // namespace busbar::nccl
#endif
