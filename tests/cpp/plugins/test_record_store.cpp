#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "plugins/profiler/record_store.h"

namespace busbar::plugins {
namespace {

Event all_reduce(std::uint64_t count) {
  return {.function = "AllReduce",
          .datatype = "ncclBfloat16",
          .count = count,
          .algorithm = "NVLS",
          .protocol = "SIMPLE",
          .channels = 16,
          .warps = 20,
          .captured = false};
}

TEST(Names, AreKnownByContentNotByAddress) {
  Names names;
  const std::string one = "RING", other = "RING";
  const auto number = names.number(one.c_str());
  EXPECT_NE(number, 0);
  EXPECT_EQ(names.number(other.c_str()), number);
  EXPECT_EQ(names.name(number), "RING");
}

TEST(Names, WhatNcclDoesNotKnowIsUnknown) {
  Names names;
  for (const char* name : {static_cast<const char*>(nullptr), "", "Unknown", "Invalid"}) {
    EXPECT_EQ(names.number(name), 0);
  }
  EXPECT_EQ(names.name(0), "");
}

TEST(Names, LongOnesAreCutAndTooManyAreUnknown) {
  Names names;
  EXPECT_EQ(names.name(names.number(std::string(100, 'x').c_str())), std::string(31, 'x'));
  int known = 1;
  for (int i = 0; i < 1000; ++i) known += names.number(("name" + std::to_string(i)).c_str()) != 0 ? 1 : 0;
  EXPECT_EQ(known, 127);
  EXPECT_EQ(names.name(names.number("name5")), "name5");
}

TEST(Names, Datatypes) {
  EXPECT_EQ(datatype_bytes("ncclFloat64"), 8U);
  EXPECT_EQ(datatype_bytes("ncclFloat8e5m2"), 1U);
  EXPECT_EQ(datatype_bytes("ncclFloat4"), 0U);
  EXPECT_EQ(datatype_bytes(""), 0U);
}

TEST(RecordStore, CountsWhatIsAlike) {
  RecordStore store;
  for (int i = 0; i < 3; ++i) store.add(all_reduce(10));
  store.add(all_reduce(11));
  auto records = store.all();
  ASSERT_EQ(records.size(), 2U);
  if (records[0].count == 11) std::swap(records[0], records[1]);
  EXPECT_EQ(records[0].times, 3U);
  EXPECT_EQ(records[0].bytes, 20U);
  EXPECT_EQ(records[0].algorithm, "NVLS");
  EXPECT_EQ(records[0].protocol, "SIMPLE");
  EXPECT_EQ(records[0].channels, 16);
  EXPECT_EQ(records[0].warps, 20);
  EXPECT_EQ(records[0].captured, false);
  EXPECT_EQ(records[0].root, std::nullopt);
  EXPECT_EQ(records[1].times, 1U);
}

TEST(RecordStore, EveryFieldTellsRecordsApart) {
  RecordStore store;
  Event e = all_reduce(10);
  store.add(e);
  e.captured = true, store.add(e);
  e.captured.reset(), store.add(e);
  e.stage = Stage::called, store.add(e);
  e.channels = 0, store.add(e);
  e.warps = 0, store.add(e);
  e.algorithm = nullptr, store.add(e);
  e.protocol = "LL", store.add(e);
  e.datatype = "ncclInt64", store.add(e);
  e.function = "Broadcast", store.add(e);
  e.root = 1, store.add(e);
  EXPECT_EQ(store.all().size(), 11U);
}

TEST(RecordStore, ARootIsKeptWhereThereIsOne) {
  RecordStore store;
  for (const char* function : {"Broadcast", "Reduce", "Gather", "Scatter"}) {
    store.add({.function = function, .datatype = "ncclInt8", .count = 1, .root = 7});
  }
  for (const Record& record : store.all()) EXPECT_EQ(record.root, 7);
}

TEST(RecordStore, TakeGivesWhatCameSince) {
  RecordStore store;
  store.add(all_reduce(10));
  store.add(all_reduce(20));
  EXPECT_EQ(store.take(100).size(), 2U);
  EXPECT_TRUE(store.take(100).empty());
  store.add(all_reduce(10));
  const auto records = store.take(100);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].times, 1U);
  EXPECT_EQ(store.all().size(), 2U);
}

TEST(RecordStore, TakeLeavesTheRest) {
  RecordStore store;
  for (std::uint64_t count = 0; count < 10; ++count) store.add(all_reduce(count));
  EXPECT_TRUE(store.take(0).empty());
  EXPECT_EQ(store.take(4).size(), 4U);
  EXPECT_EQ(store.take(4).size(), 4U);
  EXPECT_EQ(store.take(4).size(), 2U);
}

TEST(RecordStore, IsBoundedAndSaysWhatItLost) {
  RecordStore store;
  for (std::uint64_t count = 0; count < 5000; ++count) store.add(all_reduce(count));
  EXPECT_EQ(store.all().size(), 3584U);
  EXPECT_EQ(store.lost(), 5000U - 3584U);
  store.add(all_reduce(0));  // what is in the table is counted on
  EXPECT_EQ(store.lost(), 5000U - 3584U);
}

TEST(RecordStore, TakesEventsFromManyThreads) {
  RecordStore store;
  constexpr std::uint64_t each = 5000;
  std::uint64_t taken = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&store] {
        for (std::uint64_t i = 0; i < each; ++i) store.add(all_reduce(i % 7));
      });
    }
    for (int i = 0; i < 50; ++i) {
      for (const Record& record : store.take(100)) taken += record.times;
    }
  }
  for (const Record& record : store.take(100)) taken += record.times;
  EXPECT_EQ(taken, 4 * each);
}

}  // namespace
}  // namespace busbar::plugins
