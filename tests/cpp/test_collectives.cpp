// Every operation's schedule, on every rank, against its answer: all shapes, roots, placements, datatypes, operators.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <set>
#include <string>

#include "collectives/all_to_allv.h"
#include "collectives/registry.h"
#include "core/error.h"
#include "schedule_runner.h"

namespace busbar {
namespace {

using ::busbar::testing::ScheduleRunner;
using ::testing::HasSubstr;

constexpr int rank_counts[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17};

std::string describe(const Shape& shape) {
  return fmt::format("{} ranks, root {}, {} elements{}{}", shape.ranks, shape.root.value, shape.elements,
                     shape.in_place ? ", in place" : "",
                     shape.in_place_result == InPlaceResult::at_own_chunk ? " at own chunk" : "");
}

std::vector<std::size_t> element_counts(const Traits& traits, int ranks) {
  if (!traits.has_data) return {0};
  const auto n = static_cast<std::size_t>(ranks);
  if (traits.chunked) return {0, n, 2 * n, 3 * n, 5 * n, 8 * n, 101 * n};
  return {0, 1, 2, 3, n, 4 * n, 13, 97, 1009};
}

/// Calls `visit` with every shape that `collective` supports with `ranks` ranks and `elements` elements.
template <class Visit>
void for_each_placement(const Collective& collective, int ranks, std::size_t elements, const Visit& visit) {
  const Traits traits = collective.traits();
  if (ranks < traits.min_ranks) return;
  for (int root = 0; root < (traits.rooted ? ranks : 1); ++root) {
    Shape shape{.ranks = ranks, .root = Rank{root}, .elements = elements};
    visit(shape);
    if (!traits.in_place) continue;
    shape.in_place = true;
    for (const auto result : {InPlaceResult::at_start, InPlaceResult::at_own_chunk}) {
      shape.in_place_result = result;
      visit(shape);
    }
  }
}

class EveryCollective : public ::testing::TestWithParam<const Collective*> {
 protected:
  const Collective& collective() const { return *GetParam(); }
  Traits traits() const { return collective().traits(); }
  std::optional<RedOp> sum() const { return traits().reduces ? std::optional(RedOp::sum) : std::nullopt; }

  void expect_right(Shape shape, DataType type, std::optional<RedOp> redop) {
    shape.average = redop == RedOp::avg;
    ScheduleRunner runner(collective(), shape, type, redop, 12345);
    EXPECT_EQ(runner.run(), "") << describe(shape);
    EXPECT_EQ(runner.wrong(), 0U) << describe(shape) << ", " << name(type);
  }
};

class CollectiveWithData : public EveryCollective {};
class ReducingCollective : public EveryCollective {};

TEST_P(EveryCollective, IsRightForEveryShape) {
  for (const int ranks : rank_counts) {
    for (const std::size_t elements : element_counts(traits(), ranks)) {
      for_each_placement(collective(), ranks, elements,
                         [&](const Shape& shape) { expect_right(shape, DataType::int32, sum()); });
    }
  }
}

TEST_P(EveryCollective, IsRightForEveryDatatypeAndOperator) {
  for (const DataType type : all_datatypes()) {
    for_each_placement(collective(), 5, traits().has_data ? 60 : 0, [&](const Shape& shape) {
      if (!traits().reduces) return expect_right(shape, type, std::nullopt);
      for (const RedOp redop : all_redops()) {
        if (redop != RedOp::premulsum) expect_right(shape, type, redop);  // which is NCCL's alone
      }
    });
  }
}

TEST_P(EveryCollective, AnswersLieApartWithinRecv) {
  for (const int ranks : rank_counts) {
    const std::size_t elements = traits().has_data ? 12 * static_cast<std::size_t>(ranks) : 0;
    for_each_placement(collective(), ranks, elements, [&](const Shape& shape) {
      for (int rank = 0; rank < ranks; ++rank) {
        std::set<std::size_t> seen;
        const Layout layout = collective().layout(shape, Rank{rank});
        for (const Segment& segment : collective().answer(shape, Rank{rank})) {
          EXPECT_LE(segment.offset + segment.count, layout.recv);
          for (std::size_t i = 0; i < segment.count; ++i) EXPECT_TRUE(seen.insert(segment.offset + i).second);
        }
        if (!shape.in_place) {
          EXPECT_EQ(seen.size(), layout.recv) << "unverified elements: " << describe(shape);
        }
      }
    });
  }
}

TEST_P(EveryCollective, InPlaceHasNoSendBuffer) {
  for_each_placement(collective(), 4, 8, [&](const Shape& shape) {
    for (int rank = 0; rank < 4 && shape.in_place; ++rank) {
      EXPECT_EQ(collective().layout(shape, Rank{rank}).send, 0U);
    }
  });
}

/// A result that is verified somewhere: the rank whose answer is the longest.
int verified_rank(const Collective& collective, const Shape& shape) {
  int best = 0;
  std::size_t most = 0;
  for (int rank = 0; rank < shape.ranks; ++rank) {
    std::size_t count = 0;
    for (const Segment& segment : collective.answer(shape, Rank{rank})) count += segment.count;
    if (count > most) best = rank, most = count;
  }
  return best;
}

TEST_P(CollectiveWithData, OneFlippedBitIsSeen) {
  const Shape shape{.ranks = 4, .elements = 64};
  for (const DataType type : all_datatypes()) {
    ScheduleRunner runner(collective(), shape, type, sum(), 8);
    ASSERT_EQ(runner.run(), "");
    runner.recv(verified_rank(collective(), shape))[7 * size_of(type)] ^= std::byte{1};
    EXPECT_EQ(runner.wrong(), 1U) << name(type);
  }
}

TEST_P(CollectiveWithData, StaleResultsAreSeenInEveryElement) {
  const Shape shape{.ranks = 4, .elements = 64};
  for (const DataType type : all_datatypes()) {
    ScheduleRunner runner(collective(), shape, type, sum(), 8);
    ASSERT_EQ(runner.run(), "");
    std::size_t verified = 0;
    for (int rank = 0; rank < shape.ranks; ++rank) {
      for (const Segment& segment : collective().answer(shape, Rank{rank})) verified += segment.count;
    }
    EXPECT_EQ(runner.wrong(9), verified) << name(type);
    EXPECT_GT(runner.wrong(10), 0U) << name(type);
  }
}

TEST_P(CollectiveWithData, SwappedChunksAreSeen) {
  const Shape shape{.ranks = 4, .elements = 1024};
  for (const DataType type : all_datatypes()) {
    ScheduleRunner runner(collective(), shape, type, sum(), 8);
    ASSERT_EQ(runner.run(), "");
    std::byte* recv = runner.recv(verified_rank(collective(), shape));
    const std::size_t half = 128 * size_of(type);
    std::swap_ranges(recv, recv + half, recv + half);
    EXPECT_GT(runner.wrong(), 100U) << name(type);
  }
}

TEST_P(ReducingCollective, AMissingContributionIsSeen) {
  const Shape shape{.ranks = 6, .elements = 60};
  for (const DataType type : all_datatypes()) {
    for (int absent = 0; absent < shape.ranks; ++absent) {
      ScheduleRunner runner(collective(), shape, type, RedOp::sum, 8);
      std::memset(runner.input(absent), 0, shape.elements * size_of(type));
      ASSERT_EQ(runner.run(), "");
      // Of the 8-bit floating-point types only 5 and 3 of the 6 ranks contribute to one element.
      const std::size_t seen = type == DataType::float8_e4m3   ? shape.elements / 6 * 5
                               : type == DataType::float8_e5m2 ? shape.elements / 2
                                                               : shape.elements;
      EXPECT_GE(runner.wrong(), seen) << name(type) << ", without rank " << absent;
    }
  }
}

template <class Keep>
std::vector<const Collective*> collectives_where(const Keep& keep) {
  std::vector<const Collective*> kept;
  for (const Collective* collective : all_collectives()) {
    if (keep(collective->traits())) kept.push_back(collective);
  }
  return kept;
}

bool anything(const Traits&) { return true; }
bool carries_data(const Traits& traits) { return traits.has_data; }
bool reduces(const Traits& traits) { return traits.reduces; }

const auto name_of = [](const auto& instance) { return std::string(instance.param->traits().name); };

INSTANTIATE_TEST_SUITE_P(All, EveryCollective, ::testing::ValuesIn(collectives_where(anything)), name_of);
INSTANTIATE_TEST_SUITE_P(All, CollectiveWithData, ::testing::ValuesIn(collectives_where(carries_data)), name_of);
INSTANTIATE_TEST_SUITE_P(All, ReducingCollective, ::testing::ValuesIn(collectives_where(reduces)), name_of);

TEST(Registry, KnowsEveryOperationOnce) {
  std::vector<std::string_view> names;
  for (const Collective* collective : all_collectives()) {
    names.push_back(collective->traits().name);
    EXPECT_EQ(&find_collective(names.back()), collective);
    EXPECT_FALSE(collective->traits().summary.empty());
  }
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_EQ(std::set(names.begin(), names.end()).size(), names.size());
  EXPECT_GE(names.size(), 15U);
}

TEST(Registry, NamesTheUnknownAndTheAccepted) {
  try {
    find_collective("all_reduse");
    FAIL() << "was accepted";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("all_reduse"));
    EXPECT_THAT(error.what(), HasSubstr("all_reduce, all_to_all"));
  }
}

TEST(BusFactor, FollowsNcclTests) {
  const std::map<std::string_view, std::array<double, 3>> expected = {
      // with                2    4     8 ranks
      {"all_reduce", {1.0, 1.5, 1.75}},   {"all_gather", {0.5, 0.75, 0.875}},  {"reduce_scatter", {0.5, 0.75, 0.875}},
      {"all_to_all", {0.5, 0.75, 0.875}}, {"all_to_allv", {0.5, 0.75, 0.875}}, {"gather", {0.5, 0.75, 0.875}},
      {"scatter", {0.5, 0.75, 0.875}},    {"broadcast", {1.0, 1.0, 1.0}},      {"reduce", {1.0, 1.0, 1.0}},
      {"send_recv", {1.0, 1.0, 1.0}},     {"one_way", {1.0, 1.0, 1.0}},        {"ping_pong", {1.0, 1.0, 1.0}},
      {"bidirectional", {1.0, 1.0, 1.0}}, {"memory_copy", {1.0, 1.0, 1.0}},
  };
  for (const auto& [name, factors] : expected) {
    const Collective& collective = find_collective(name);
    EXPECT_DOUBLE_EQ(collective.bus_factor(2), factors[0]) << name;
    EXPECT_DOUBLE_EQ(collective.bus_factor(4), factors[1]) << name;
    EXPECT_DOUBLE_EQ(collective.bus_factor(8), factors[2]) << name;
  }
}

TEST(PingPong, ReportsHalfTheRoundTrip) {
  EXPECT_DOUBLE_EQ(find_collective("ping_pong").traits().time_share, 0.5);
  EXPECT_DOUBLE_EQ(find_collective("bidirectional").traits().time_share, 1.0);
}

struct Volume {
  std::string_view name;
  std::uint64_t sent_per_rank;  ///< of 840 elements, by each of 7 ranks
};

TEST(SentElements, MatchTheClosedForms) {
  constexpr int n = 7;
  for (const Volume& volume :
       {Volume{"all_reduce", 2 * (n - 1) * 840 / n}, Volume{"reduce_scatter", (n - 1) * 840 / n},
        Volume{"all_gather", (n - 1) * 840 / n}, Volume{"all_to_all", (n - 1) * 840 / n},
        Volume{"all_to_allv", (n - 1) * 840 / n}, Volume{"send_recv", 840}, Volume{"barrier", 3}}) {
    const Collective& collective = find_collective(volume.name);
    const std::size_t elements = collective.traits().has_data ? 840 : 0;
    for_each_placement(collective, n, elements, [&](const Shape& shape) {
      ScheduleRunner runner(collective, shape, DataType::int8, RedOp::sum, 1);
      ASSERT_EQ(runner.run(), "");
      for (int rank = 0; rank < n; ++rank) EXPECT_EQ(runner.sent_elements(rank), volume.sent_per_rank) << volume.name;
    });
  }
}

TEST(SentElements, TreesSendOncePerEdge) {
  for (const std::string_view name : {"broadcast", "reduce"}) {
    for_each_placement(find_collective(name), 9, 10, [&](const Shape& shape) {
      ScheduleRunner runner(find_collective(name), shape, DataType::int8, RedOp::sum, 1);
      ASSERT_EQ(runner.run(), "");
      std::uint64_t sent = 0;
      for (int rank = 0; rank < 9; ++rank) sent += runner.sent_elements(rank);
      EXPECT_EQ(sent, 8U * 10U) << name;
    });
  }
}

TEST(AllToAllV, RowsAndColumnsAddUpAndAreUneven) {
  for (const int n : rank_counts) {
    const Shape shape{.ranks = n, .elements = 10 * static_cast<std::size_t>(n)};
    for (int rank = 0; rank < n; ++rank) {
      const auto counts = collectives::all_to_allv_counts(shape, Rank{rank});
      std::size_t sent = 0;
      std::size_t received = 0;
      for (std::size_t peer = 0; peer < static_cast<std::size_t>(n); ++peer) {
        EXPECT_EQ(counts.send_displacements[peer], sent);
        EXPECT_EQ(counts.recv_displacements[peer], received);
        sent += counts.send_counts[peer];
        received += counts.recv_counts[peer];
      }
      EXPECT_EQ(sent, shape.elements);
      EXPECT_EQ(received, shape.elements);
      EXPECT_EQ(counts.send_counts[static_cast<std::size_t>(rank)], 10U);
      const auto [least, most] = std::minmax_element(counts.send_counts.begin(), counts.send_counts.end());
      if (n > 2) {
        EXPECT_EQ(*least, 5U);
        EXPECT_EQ(*most, 15U);
      }
    }
  }
}

}  // namespace
}  // namespace busbar
