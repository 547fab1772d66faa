#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "plugins/abi/tuner.h"
#include "plugins/tuner/decision.h"
#include "plugins/tuner/table.h"

namespace busbar::plugins {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr auto endless = std::numeric_limits<std::uint64_t>::max();

std::string trouble_of(const std::string& text) {
  try {
    parse_table(text);
  } catch (const MalformedTable& malformed) {
    return malformed.what();
  }
  return "";
}

TEST(TunerTable, ReadsTenColumns) {
  const Table table = parse_table("allreduce,1024,65536,nvls_tree,ll128,12,4,32,2,1\n");
  ASSERT_EQ(table.rows.size(), 1U);
  const Row& row = table.rows[0];
  EXPECT_EQ(row.function, nccl_abi::all_reduce);
  EXPECT_EQ(row.min_bytes, 1024U);
  EXPECT_EQ(row.max_bytes, 65536U);
  EXPECT_EQ(row.algorithm, nccl_abi::nvls_tree);
  EXPECT_EQ(row.protocol, nccl_abi::ll128);
  EXPECT_EQ(row.channels, 12);
  EXPECT_EQ(row.nodes, 4U);
  EXPECT_EQ(row.ranks, 32U);
  EXPECT_EQ(row.pipe_ops, 2);
  EXPECT_EQ(row.registered, true);
}

TEST(TunerTable, MinusOneZeroAndAbsentAreAny) {
  for (const char* text : {"reduce,0,-1,ring,ll,-1,-1,-1,-1,-1", "reduce,0,-1,ring,ll,0,0,0,0", "reduce,,,ring,ll,,,",
                           "reduce,0,4294967295,ring,ll,-1,-1,-1"}) {
    const Row row = parse_table(text).rows.at(0);
    EXPECT_EQ(row.min_bytes, 0U) << text;
    EXPECT_EQ(row.max_bytes, endless) << text;
    EXPECT_FALSE(row.channels || row.nodes || row.ranks || row.pipe_ops || row.registered) << text;
  }
}

TEST(TunerTable, RegisteredZeroIsNotAny) {
  EXPECT_EQ(parse_table("reduce,0,-1,ring,ll,-1,-1,-1,-1,0").rows.at(0).registered, false);
}

TEST(TunerTable, SizesBeyondFourGibibytesAreKept) {
  EXPECT_EQ(parse_table("reduce,0,17179869184,ring,ll,-1,-1,-1").rows.at(0).max_bytes, 17179869184U);
}

TEST(TunerTable, ChannelsAreClamped) {
  EXPECT_EQ(parse_table("reduce,0,-1,ring,ll,1000,-1,-1").rows.at(0).channels, 64);
}

TEST(TunerTable, CommentsBlanksHeadersAndCarriageReturns) {
  const Table table = parse_table(
      "# busbar tuner table\r\n#fabric: InfiniBand NDR, 2 leaves\n# nccl: 2.28.9\n# nodes: 2\n# ranks: 16\n# who: "
      "me\n\n"
      "collective_type,min_bytes,max_bytes,algorithm,protocol,channels,nNodes,nRanks,numPipeOps,regBuff\r\n"
      "  broadcast , 0\t, 4096 , tree , simple , -1 , 2 , 16 \r\n# nodes: 9\nallgather,0,-1,pat,simple,-1,-1,-1");
  EXPECT_EQ(table.rows.size(), 2U);
  EXPECT_EQ(table.made_for, "fabric InfiniBand NDR, 2 leaves, nccl 2.28.9, nodes 2, ranks 16");
}

TEST(TunerTable, LongLinesAreWhole) {
  EXPECT_EQ(parse_table("allgather,0,-1," + std::string(500, ' ') + "pat,simple,7,-1,-1").rows.at(0).channels, 7);
}

TEST(TunerTable, TroubleNamesTheCulpritAndWhatIsAccepted) {
  EXPECT_THAT(trouble_of("# x\nallredue,0,-1,ring,ll,-1,-1,-1"),
              AllOf(HasSubstr("line 2"), HasSubstr("'allredue'"), HasSubstr("allreduce")));
  EXPECT_THAT(trouble_of("allreduce,0,-1,rings,ll,-1,-1,-1"), AllOf(HasSubstr("'rings'"), HasSubstr("nvls_tree")));
  EXPECT_THAT(trouble_of("allreduce,0,-1,ring,ll64,-1,-1,-1"), AllOf(HasSubstr("'ll64'"), HasSubstr("ll, ll128")));
  EXPECT_THAT(trouble_of("allreduce,0,-1,ring"), AllOf(HasSubstr("4 fields"), HasSubstr("8 to 10")));
  EXPECT_THAT(trouble_of("allreduce,0,-1,ring,ll,-1,-1,-1,-1,-1,-1"), HasSubstr("11 fields"));
  EXPECT_THAT(trouble_of("allreduce,9,8,ring,ll,-1,-1,-1"), HasSubstr("min_bytes or more"));
  EXPECT_THAT(trouble_of("allreduce,0,1M,ring,ll,-1,-1,-1"), HasSubstr("max_bytes is '1M'"));
  EXPECT_THAT(trouble_of("allreduce,0,-2,ring,ll,-1,-1,-1"), HasSubstr("max_bytes is '-2'"));
  EXPECT_THAT(trouble_of("allreduce,0,99999999999999999999,ring,ll,-1,-1,-1"), HasSubstr("max_bytes"));
  EXPECT_THAT(trouble_of("allreduce,0,-1,ring,ll,-1,-1,-1,-1,2"), HasSubstr("regBuff is '2'"));
  EXPECT_THAT(trouble_of("\xff\x01garbage,,,,,,,"), HasSubstr("'??garbage'"));
  EXPECT_THAT(trouble_of(std::string("allreduce\0", 10)), HasSubstr("NUL"));
}

Row row_of(const std::string& text) { return parse_table(text).rows.at(0); }

class Decide : public testing::Test {
 protected:
  Decision ask(const std::vector<Row>& rows, const Question& question) {
    return decide(rows, question, Costs(costs_, nccl_abi::algorithms, nccl_abi::protocols));
  }
  Decide() { std::fill(std::begin(costs_), std::end(costs_), 5.0F); }
  float costs_[nccl_abi::algorithms * nccl_abi::protocols];
};

TEST_F(Decide, BytesAreInclusiveAtBothEnds) {
  const std::vector rows = {row_of("allreduce,100,200,ring,ll,-1,-1,-1")};
  for (const auto& [bytes, hit] : {std::pair{99U, false}, {100U, true}, {200U, true}, {201U, false}}) {
    EXPECT_EQ(ask(rows, {nccl_abi::all_reduce, bytes, 1, false}).row != nullptr, hit) << bytes;
  }
}

TEST_F(Decide, AnOpenLastRangeLosesNoSize) {
  const std::vector rows = {row_of("allreduce,100,-1,ring,ll,-1,-1,-1")};
  EXPECT_NE(ask(rows, {nccl_abi::all_reduce, endless, 1, false}).row, nullptr);
}

TEST_F(Decide, TheFirstRowThatFitsWins) {
  const std::vector rows = {row_of("reduce,0,-1,ring,ll,-1,-1,-1"), row_of("allreduce,0,-1,tree,ll,-1,-1,-1,2"),
                            row_of("allreduce,0,-1,nvls,simple,-1,-1,-1,-1,1"),
                            row_of("allreduce,0,-1,ring,ll,-1,-1,-1")};
  EXPECT_EQ(ask(rows, {nccl_abi::all_reduce, 8, 2, true}).row, &rows[1]);
  EXPECT_EQ(ask(rows, {nccl_abi::all_reduce, 8, 1, true}).row, &rows[2]);
  EXPECT_EQ(ask(rows, {nccl_abi::all_reduce, 8, 1, false}).row, &rows[3]);
  EXPECT_EQ(ask(rows, {nccl_abi::all_reduce, 8, 1, std::nullopt}).row, &rows[3]);
  EXPECT_EQ(ask(rows, {nccl_abi::broadcast, 8, 1, false}).row, nullptr);
}

TEST_F(Decide, WhatIsNotAvailableIsPassedOver) {
  costs_[nccl_abi::nvls * 3 + nccl_abi::simple] = nccl_abi::not_available;
  const std::vector rows = {row_of("allreduce,0,-1,nvls,simple,-1,-1,-1"), row_of("allreduce,0,-1,ring,ll,-1,-1,-1")};
  const Decision decision = ask(rows, {nccl_abi::all_reduce, 8, 1, false});
  EXPECT_EQ(decision.row, &rows[1]);
  EXPECT_EQ(decision.unavailable, 1U);
}

TEST_F(Decide, AlgorithmsAnOlderTableLacksAreNotAvailable) {
  const Costs costs(costs_, 6, 3);
  EXPECT_FALSE(costs.available(nccl_abi::pat, nccl_abi::simple));
  EXPECT_TRUE(costs.available(nccl_abi::nvls_tree, nccl_abi::simple));
  EXPECT_FALSE(Costs(costs_, 7, 2).available(nccl_abi::ring, nccl_abi::simple));
  EXPECT_FALSE(Costs(nullptr, 7, 3).available(nccl_abi::ring, nccl_abi::simple));
}

TEST(RowsFor, KeepsThoseOfTheCommunicator) {
  const Table table = parse_table(
      "allreduce,0,-1,ring,ll,1,2,16\nallreduce,0,-1,ring,ll,2,-1,16\nallreduce,0,-1,ring,ll,3,2,-1\n"
      "allreduce,0,-1,ring,ll,4,4,16\nallreduce,0,-1,ring,ll,5,2,8\nallreduce,0,-1,ring,ll,6,-1,-1\n");
  std::vector<int> kept;
  for (const Row& row : rows_for(table, 2, 16)) kept.push_back(row.channels.value());
  EXPECT_THAT(kept, testing::ElementsAre(1, 2, 3, 6));
}

TEST(ChecksChannels, IsWhatNcclDoes) {
  EXPECT_TRUE(checks_channels(nccl_abi::ring, 4));
  EXPECT_TRUE(checks_channels(nccl_abi::nvls, 1));
  EXPECT_TRUE(checks_channels(nccl_abi::nvls_tree, 4));
  EXPECT_FALSE(checks_channels(nccl_abi::nvls, 2));
  EXPECT_FALSE(checks_channels(nccl_abi::collnet_direct, 2));
  EXPECT_FALSE(checks_channels(nccl_abi::collnet_chain, 1));
}

}  // namespace
}  // namespace busbar::plugins
