// Sizes and offsets of NCCL's plugin interfaces, as compilers for 64-bit Linux lay NCCL 2.28.9's structures out
// (v6: 2.30.7's).
#include <gtest/gtest.h>

#include "plugins/abi/profiler.h"
#include "plugins/abi/tuner.h"

namespace busbar::nccl_abi {
namespace {

TEST(PluginAbi, ProfilerEventV5) {
  EXPECT_EQ(sizeof(ProfilerEventV5), 112U);
  EXPECT_EQ(offsetof(ProfilerEventV5, type), 0U);
  EXPECT_EQ(offsetof(ProfilerEventV5, parent), 8U);
  EXPECT_EQ(offsetof(ProfilerEventV5, rank), 16U);
  EXPECT_EQ(sizeof(ProfilerEventV5::type), 8U);
  EXPECT_EQ(offsetof(ProfilerEventV5, collective.sequence), 24U);
  EXPECT_EQ(offsetof(ProfilerEventV5, collective.function), 32U);
  EXPECT_EQ(offsetof(ProfilerEventV5, collective.count), 56U);
  EXPECT_EQ(offsetof(ProfilerEventV5, collective.root), 64U);
  EXPECT_EQ(offsetof(ProfilerEventV5, collective.datatype), 72U);
  EXPECT_EQ(offsetof(ProfilerEventV5, collective.channels), 80U);
  EXPECT_EQ(offsetof(ProfilerEventV5, collective.warps), 81U);
  EXPECT_EQ(offsetof(ProfilerEventV5, collective.algorithm), 88U);
  EXPECT_EQ(offsetof(ProfilerEventV5, collective.protocol), 96U);
  EXPECT_EQ(offsetof(ProfilerEventV5, collective.group), 104U);
  EXPECT_EQ(offsetof(ProfilerEventV5, p2p.function), 24U);
  EXPECT_EQ(offsetof(ProfilerEventV5, p2p.datatype), 40U);
  EXPECT_EQ(offsetof(ProfilerEventV5, p2p.count), 48U);
  EXPECT_EQ(offsetof(ProfilerEventV5, p2p.peer), 56U);
  EXPECT_EQ(offsetof(ProfilerEventV5, p2p.channels), 60U);
}

TEST(PluginAbi, ProfilerEventV5OfCalls) {
  EXPECT_EQ(offsetof(ProfilerEventV5, collective_api.function), 24U);
  EXPECT_EQ(offsetof(ProfilerEventV5, collective_api.count), 32U);
  EXPECT_EQ(offsetof(ProfilerEventV5, collective_api.datatype), 40U);
  EXPECT_EQ(offsetof(ProfilerEventV5, collective_api.root), 48U);
  EXPECT_EQ(offsetof(ProfilerEventV5, collective_api.stream), 56U);
  EXPECT_EQ(offsetof(ProfilerEventV5, collective_api.graph_captured), 64U);
  EXPECT_EQ(offsetof(ProfilerEventV5, p2p_api.datatype), 40U);
  EXPECT_EQ(offsetof(ProfilerEventV5, p2p_api.stream), 48U);
  EXPECT_EQ(offsetof(ProfilerEventV5, p2p_api.graph_captured), 56U);
}

TEST(PluginAbi, ProfilerEventV4) {
  EXPECT_EQ(sizeof(ProfilerEventV4), 104U);
  EXPECT_EQ(sizeof(ProfilerEventV4::type), 1U);
  EXPECT_EQ(offsetof(ProfilerEventV4, parent), 8U);
  EXPECT_EQ(offsetof(ProfilerEventV4, collective.sequence), 24U);
  EXPECT_EQ(offsetof(ProfilerEventV4, collective.protocol), 96U);
  EXPECT_EQ(offsetof(ProfilerEventV4, p2p.channels), 60U);
}

// name, init, startEvent, stopEvent, recordEventState, finalize: in both.
template <typename Profiler>
void expect_profiler_order() {
  EXPECT_EQ(sizeof(Profiler), 48U);
  EXPECT_EQ(offsetof(Profiler, name), 0U);
  EXPECT_EQ(offsetof(Profiler, init), 8U);
  EXPECT_EQ(offsetof(Profiler, start_event), 16U);
  EXPECT_EQ(offsetof(Profiler, stop_event), 24U);
  EXPECT_EQ(offsetof(Profiler, record_event_state), 32U);
  EXPECT_EQ(offsetof(Profiler, finalize), 40U);
}

TEST(PluginAbi, Profilers) {
  expect_profiler_order<ProfilerV5>();
  expect_profiler_order<ProfilerV4>();
}

TEST(PluginAbi, Tuners) {
  EXPECT_EQ(sizeof(TunerV3), 32U);
  EXPECT_EQ(offsetof(TunerV3, get_coll_info), 16U);
  EXPECT_EQ(offsetof(TunerV3, destroy), 24U);
  EXPECT_EQ(sizeof(TunerV4), 32U);
  EXPECT_EQ(offsetof(TunerV4, destroy), 24U);
  EXPECT_EQ(sizeof(TunerV5), 32U);
  EXPECT_EQ(offsetof(TunerV5, init), 8U);
  EXPECT_EQ(offsetof(TunerV5, finalize), 24U);
  EXPECT_EQ(sizeof(TunerV6), 40U);
  EXPECT_EQ(offsetof(TunerV6, finalize), 24U);
  EXPECT_EQ(offsetof(TunerV6, get_chunk_size), 32U);
}

TEST(PluginAbi, TunerConstants) {
  EXPECT_EQ(sizeof(NvlDomains), 12U);
  EXPECT_EQ(sizeof(TunerConstants), 1152U);
  EXPECT_EQ(offsetof(TunerConstants, hardware_latencies), 168U);
  EXPECT_EQ(offsetof(TunerConstants, ll_max_bandwidths), 672U);
  EXPECT_EQ(offsetof(TunerConstants, ring_ll128_max_bandwidths), 768U);
  EXPECT_EQ(offsetof(TunerConstants, nvls_tree_max_bandwidths), 1056U);
}

}  // namespace
}  // namespace busbar::nccl_abi
