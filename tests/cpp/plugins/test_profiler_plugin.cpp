// libnccl-profiler-busbar.so as NCCL drives it, read back through profiler_api.h.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "plugins/plugin_library.h"
#include "plugins/profiled_communicator.h"
#include "plugins/profiler_api.h"

namespace busbar::plugins::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::StrEq;
using testing::UnorderedElementsAre;

using Record = busbar_profiler_record;

auto enqueued(const Collective& c, std::uint64_t times) {
  return AllOf(Field(&Record::stage, static_cast<int>(busbar_profiler_enqueued)),
               Field(&Record::function, StrEq(c.function)), Field(&Record::count, c.count),
               Field(&Record::algorithm, StrEq(c.algorithm)), Field(&Record::protocol, StrEq(c.protocol)),
               Field(&Record::captured, c.captured ? 1 : 0), Field(&Record::times, times));
}

auto called(const char* function, std::uint64_t count, std::uint64_t times) {
  return AllOf(Field(&Record::stage, static_cast<int>(busbar_profiler_called)),
               Field(&Record::function, StrEq(function)), Field(&Record::count, count),
               Field(&Record::algorithm, StrEq("")), Field(&Record::channels, -1), Field(&Record::times, times));
}

class ProfilerPlugin : public testing::Test {
 protected:
  std::vector<busbar_profiler_communicator> communicators() const {
    std::vector<busbar_profiler_communicator> found(communicators_(nullptr, 0));
    communicators_(found.data(), found.size());
    return found;
  }
  std::vector<Record> read(std::uint64_t handle, std::size_t capacity = 4096) const {
    std::vector<Record> records(capacity);
    records.resize(read_(handle, records.data(), records.size()));
    return records;
  }

  NcclLog log_;
  PluginLibrary library_{BUSBAR_PROFILER_PLUGIN};
  const nccl_abi::ProfilerV5* v5_ = library_.symbol<const nccl_abi::ProfilerV5>("ncclProfiler_v5");
  const nccl_abi::ProfilerV4* v4_ = library_.symbol<const nccl_abi::ProfilerV4>("ncclProfiler_v4");
  decltype(&busbar_profiler_communicators) communicators_ =
      library_.symbol<decltype(busbar_profiler_communicators)>("busbar_profiler_communicators");
  decltype(&busbar_profiler_read) read_ = library_.symbol<decltype(busbar_profiler_read)>("busbar_profiler_read");
};

TEST_F(ProfilerPlugin, IsFoundByItsVersionedSymbols) {
  ASSERT_NE(v5_, nullptr);
  ASSERT_NE(v4_, nullptr);
  EXPECT_STREQ(v5_->name, "Busbar");
  EXPECT_STREQ(v4_->name, "Busbar");
  EXPECT_EQ(library_.symbol<void>("ncclProfiler_v3"), nullptr);
  EXPECT_EQ(library_.symbol<decltype(busbar_profiler_api)>("busbar_profiler_api")(), BUSBAR_PROFILER_API);
}

TEST_F(ProfilerPlugin, AsksOnlyForEventsThatAddNothingToTheDevice) {
  ProfiledCommunicatorV5 v5(v5_);
  EXPECT_EQ(v5.mask(), 2 | 4 | 512 | 1024);
  ProfiledCommunicatorV4 v4(v4_);
  EXPECT_EQ(v4.mask(), 2 | 4);
}

TEST_F(ProfilerPlugin, RecordsWhatWasCalledAndHowItRan) {
  ProfiledCommunicatorV5 comm(v5_);
  const Collective c;
  comm.run(c);
  comm.run(c);
  const auto records = read(communicators()[0].handle);
  EXPECT_THAT(records, UnorderedElementsAre(called("AllReduce", 1024, 2), enqueued(c, 2)));
  const Record& record = records[0].stage == busbar_profiler_enqueued ? records[0] : records[1];
  EXPECT_STREQ(record.datatype, "ncclFloat32");
  EXPECT_EQ(record.bytes, 4096);
  EXPECT_EQ(record.channels, 2);
  EXPECT_EQ(record.warps, 16);
  EXPECT_EQ(record.root, -1);
}

TEST_F(ProfilerPlugin, WhatItCannotKnowIsUnknown) {
  ProfiledCommunicatorV5 comm(v5_);
  comm.run({.datatype = "Unknown", .algorithm = "COLLNET_CHAIN", .protocol = "SIMPLE", .channels = 0, .warps = 0});
  comm.enqueue({.count = 7}, nullptr);  // no parent: not known whether captured
  for (const Record& record : read(communicators()[0].handle)) {
    if (record.stage != busbar_profiler_enqueued) continue;
    if (record.count == 7) {
      EXPECT_EQ(record.captured, -1);
      continue;
    }
    EXPECT_STREQ(record.datatype, "");
    EXPECT_EQ(record.bytes, -1);
    EXPECT_EQ(record.channels, -1);
    EXPECT_EQ(record.warps, -1);
    EXPECT_STREQ(record.algorithm, "COLLNET_CHAIN");
  }
}

TEST_F(ProfilerPlugin, ACallWithoutAnEventOfHowItRanStaysACall) {
  ProfiledCommunicatorV5 comm(v5_);
  comm.call({.function = "AllGather", .count = 5});
  EXPECT_THAT(read(communicators()[0].handle), ElementsAre(called("AllGather", 5, 1)));
}

TEST_F(ProfilerPlugin, ACapturedGraphIsToldApartWhileItIsReplayed) {
  ProfiledCommunicatorV5 comm(v5_);
  const Collective captured{.captured = true};
  void* call = comm.call(captured);
  comm.run({});
  std::thread([&] {
    for (int replay = 0; replay < 3; ++replay) comm.enqueue(captured, call);
  }).join();
  const auto records = read(communicators()[0].handle);
  EXPECT_THAT(records, testing::Contains(enqueued(captured, 3)));
  EXPECT_THAT(records, testing::Contains(enqueued({}, 1)));
  EXPECT_EQ(records.size(), 4U);
}

TEST_F(ProfilerPlugin, PeersOfTransfersAreNotToldApart) {
  ProfiledCommunicatorV5 comm(v5_);
  for (int peer = 0; peer < 100; ++peer) {
    comm.transfer("Send", 64, peer);
    comm.transfer("Recv", 64, peer);
  }
  const auto records = read(communicators()[0].handle);
  EXPECT_EQ(records.size(), 4U);
  for (const Record& record : records) {
    EXPECT_EQ(record.times, 100U);
    EXPECT_EQ(record.bytes, 128);
    EXPECT_STREQ(record.algorithm, "");
    EXPECT_EQ(record.root, -1);
  }
}

TEST_F(ProfilerPlugin, CommunicatorsAreKeptApart) {
  ProfiledCommunicatorV5 first(v5_, {.id = 1, .name = "first", .nodes = 1, .ranks = 8, .rank = 2});
  ProfiledCommunicatorV5 second(v5_, {.id = 1, .name = "first", .nodes = 1, .ranks = 8, .rank = 5});
  ProfiledCommunicatorV4 third(v4_, {.id = 3});
  first.run({});
  second.run({.algorithm = "TREE"});
  third.run({.algorithm = "PAT"});
  const auto found = communicators();
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].id, 1U);
  EXPECT_STREQ(found[0].name, "first");
  EXPECT_EQ(found[0].rank, 2);
  EXPECT_EQ(found[0].ranks, 8);
  EXPECT_EQ(found[0].nodes, 1);
  EXPECT_EQ(found[0].interface, 5);
  EXPECT_EQ(found[0].open, 1);
  EXPECT_EQ(found[1].rank, 5);
  EXPECT_STREQ(found[2].name, "");
  EXPECT_EQ(found[2].interface, 4);
  EXPECT_THAT(read(found[1].handle),
              UnorderedElementsAre(called("AllReduce", 1024, 1), enqueued({.algorithm = "TREE"}, 1)));
  const auto v4_records = read(found[2].handle);
  ASSERT_EQ(v4_records.size(), 1U);
  EXPECT_STREQ(v4_records[0].algorithm, "PAT");
  EXPECT_EQ(v4_records[0].captured, -1);
}

TEST_F(ProfilerPlugin, ReadingGivesWhatCameSinceTheLastTime) {
  ProfiledCommunicatorV5 comm(v5_);
  const auto handle = communicators()[0].handle;
  EXPECT_THAT(read(handle), IsEmpty());
  comm.run({});
  EXPECT_EQ(read(handle, 1).size(), 1U);
  EXPECT_EQ(read(handle, 1).size(), 1U);
  EXPECT_THAT(read(handle), IsEmpty());
  comm.enqueue({}, nullptr);
  EXPECT_EQ(read(handle).size(), 1U);
  EXPECT_THAT(read(handle + 1), IsEmpty());
}

TEST_F(ProfilerPlugin, RecordsOutliveTheirCommunicatorAndNcclsHandle) {
  {
    ProfiledCommunicatorV5 comm(v5_);
    comm.run({});
    comm.finalize();
  }
  library_.close();
  const auto found = communicators();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].open, 0);
  EXPECT_EQ(read(found[0].handle).size(), 2U);
}

TEST_F(ProfilerPlugin, OldCommunicatorsAreForgotten) {
  ProfiledCommunicatorV5 stays(v5_, {.id = 77});
  for (int i = 0; i < 40; ++i) {
    ProfiledCommunicatorV5 comm(v5_);
    comm.run({});
    comm.finalize();
  }
  const auto found = communicators();
  EXPECT_EQ(found.size(), 17U);
  EXPECT_EQ(found[0].id, 77U);
  EXPECT_EQ(found.back().handle, 41U);
  stays.run({});
  EXPECT_EQ(read(found[0].handle).size(), 2U);
}

TEST_F(ProfilerPlugin, ServesManyThreadsAndCommunicators) {
  constexpr int threads = 8, rounds = 500;
  {
    std::vector<std::jthread> workers;
    for (int t = 0; t < threads; ++t) {
      workers.emplace_back([&, t] {
        ProfiledCommunicatorV5 comm(v5_, {.id = 9, .rank = t});
        for (int i = 0; i < rounds; ++i) comm.run({.count = static_cast<std::size_t>(i % 5)});
        comm.finalize();
      });
    }
    for (int i = 0; i < 20; ++i) communicators();
  }
  const auto found = communicators();
  ASSERT_EQ(found.size(), static_cast<std::size_t>(threads));
  for (const auto& comm : found) {
    std::uint64_t total = 0;
    for (const Record& record : read(comm.handle)) total += record.times;
    EXPECT_EQ(total, 2U * rounds);
    EXPECT_EQ(comm.lost, 0U);
  }
}

TEST_F(ProfilerPlugin, EventsItNeverAskedForDoNothing) {
  void* context = nullptr;
  int mask = 0;
  v5_->init(&context, 1, &mask, nullptr, 1, 1, 0, nullptr);
  void* handle = &mask;
  nccl_abi::ProfilerEventV5 event{};
  event.type = 1U << 6;
  EXPECT_EQ(v5_->start_event(context, &handle, &event), nccl_abi::success);
  EXPECT_EQ(handle, nullptr);
  event.type = nccl_abi::event_collective;
  EXPECT_EQ(v5_->start_event(nullptr, &handle, &event), nccl_abi::success);
  EXPECT_EQ(v5_->stop_event(nullptr), nccl_abi::success);
  EXPECT_EQ(v5_->record_event_state(nullptr, 5, nullptr), nccl_abi::success);
  EXPECT_EQ(v5_->finalize(nullptr), nccl_abi::success);
  EXPECT_THAT(read(communicators()[0].handle), IsEmpty());
  EXPECT_TRUE(log_.empty());
}

}  // namespace
}  // namespace busbar::plugins::test
