// Every operation on every datatype, as the engine would run it: prepared, enqueued on both inputs, checked on every
// element.
#include <gtest/gtest.h>

#include <algorithm>

#include "bench/workload.h"
#include "collectives/registry.h"
#include "core/error.h"
#include "nccl/world.h"

namespace busbar::testing {
namespace {

struct Point {
  std::string_view operation;
  DataType type = DataType::float32;
  std::optional<RedOp> redop{};
  bool in_place = false;
  bool graph = false;
  Registration registration = Registration::none;
  int root = 0;
  std::size_t elements = 3 * 64;  ///< a multiple of the ranks
};

OperationSpec specify(const Point& p, const Channel& channel, int ranks) {
  const Collective& collective = find_collective(p.operation);
  return {.collective = &collective,
          .shape = {.ranks = ranks,
                    .root = Rank{p.root},
                    .elements = collective.traits().has_data ? p.elements : 0,
                    .in_place = p.in_place,
                    .in_place_result = channel.in_place_result(),
                    .average = p.redop == RedOp::avg},
          .type = p.type,
          .redop = collective.traits().reduces ? std::optional{p.redop.value_or(RedOp::sum)} : std::nullopt,
          .graph = p.graph,
          .registration = p.registration};
}

/// Wrong elements of this rank after an execution on each input, alone and back to back.
std::uint64_t wrong_elements(Channel& channel, const Point& p, const std::vector<Rank>& members, int self) {
  Process& here = process();
  const OperationSpec spec = specify(p, channel, static_cast<int>(members.size()));
  std::unique_ptr<MemorySpace> symmetric;
  if (p.registration == Registration::symmetric) symmetric = here.transport->symmetric_memory(here.memory);
  Workload workload(channel, symmetric ? *symmetric : here.memory, spec, Rank{self}, 7);
  std::uint64_t wrong = 0;
  for (const int slot : {0, 1, 0}) {
    workload.poison();
    workload.renew(slot);
    workload.operation().enqueue(slot);
    workload.operation().complete();
    EXPECT_TRUE(workload.operation().device_us().has_value());
    const Verification v = workload.verify(slot);
    wrong += v.wrong;
  }
  return wrong;
}

/// Whether this NCCL has the datatype; the transport must refuse it where it has not, and only then.
bool has_datatype(const Channel& channel, DataType type) {
  const bool too_new = (type == DataType::float8_e4m3 || type == DataType::float8_e5m2) &&
                       process().transport->library_version() == "2.18.3";
  const OperationSpec spec = specify({.operation = "all_reduce", .type = type}, channel, process().world.workers());
  EXPECT_EQ(process().transport->refusal(spec).has_value(), too_new) << name(type);
  return !too_new;
}

class Operations : public ::testing::Test {
 protected:
  std::uint64_t wrong(const Point& p, const Settings& settings = {}) {
    const auto channel = process().transport->open(process().all(), settings);
    return wrong_elements(*channel, p, process().all(), process().rank());
  }
};

TEST_F(Operations, GiveTheRightAnswerForEveryDatatype) {
  const auto channel = process().transport->open(process().all(), {});
  for (const Collective* c : all_collectives()) {
    for (const DataType type : all_datatypes()) {
      if (!has_datatype(*channel, type)) continue;
      for (const bool in_place : {false, true}) {
        if (in_place && !c->traits().in_place) continue;
        const Point p{
            .operation = c->traits().name, .type = type, .in_place = in_place, .root = c->traits().rooted ? 1 : 0};
        EXPECT_EQ(wrong_elements(*channel, p, process().all(), process().rank()), 0U)
            << p.operation << ' ' << name(type) << (in_place ? " in place" : "");
      }
    }
  }
}

TEST_F(Operations, GiveTheRightAnswerForEveryOperator) {
  const auto channel = process().transport->open(process().all(), {});
  for (const std::string_view operation : {"all_reduce", "reduce", "reduce_scatter"}) {
    for (const DataType type : all_datatypes()) {
      if (!has_datatype(*channel, type)) continue;
      for (const RedOp redop : all_redops()) {
        const Point p{.operation = operation, .type = type, .redop = redop};
        EXPECT_EQ(wrong_elements(*channel, p, process().all(), process().rank()), 0U)
            << operation << ' ' << name(type) << ' ' << name(redop);
      }
    }
  }
}

/// An operator lives as long as its operation; the fake aborts where a communicator ends before its operators do.
TEST_F(Operations, OwnTheirPreMultipliedSums) {
  const auto channel = process().transport->open(process().all(), {});
  const auto prepare = [&](DataType type) {
    const Point p{.operation = "all_reduce", .type = type, .redop = RedOp::premulsum};
    return std::make_unique<Workload>(*channel, process().memory, specify(p, *channel, process().world.workers()),
                                      Rank{process().rank()}, 7);
  };
  const auto first = prepare(DataType::int32);
  auto second = prepare(DataType::float8_e5m2);
  for (const int turn : {0, 1}) {
    for (Workload* const workload : {first.get(), second.get()}) {
      if (workload == nullptr) continue;
      workload->poison();
      workload->renew(turn);
      workload->operation().enqueue(turn);
      workload->operation().complete();
      EXPECT_EQ(workload->verify(turn).wrong, 0U);
    }
    second.reset();
  }
}

TEST_F(Operations, PreMultipliedSumsRunFromGraphsAndInPlace) {
  for (const std::string_view operation : {"all_reduce", "reduce", "reduce_scatter"}) {
    for (const bool in_place : {false, true}) {
      const Point p{.operation = operation,
                    .type = DataType::float8_e4m3,
                    .redop = RedOp::premulsum,
                    .in_place = in_place,
                    .graph = true};
      EXPECT_EQ(wrong(p), 0U) << operation;
    }
  }
}

TEST_F(Operations, FollowTheirPortableScheduleWhereItOnlyMovesData) {
  const Settings settings{{"schedule", "portable"}};
  const auto channel = process().transport->open(process().all(), settings);
  for (const Collective* c : all_collectives()) {
    const bool refused = process().transport->objection(settings, *c).has_value();
    EXPECT_EQ(refused, c->traits().reduces) << c->traits().name;
    if (refused) continue;
    const Point p{.operation = c->traits().name, .root = c->traits().rooted ? 2 : 0};
    EXPECT_EQ(wrong_elements(*channel, p, process().all(), process().rank()), 0U) << p.operation;
    EXPECT_EQ(channel->observe().algorithm, "portable schedule");
  }
}

TEST_F(Operations, RunOnPartsOfTheLaunch) {
  for (const std::vector<Rank>& members : {std::vector{Rank{1}}, std::vector{Rank{0}, Rank{2}}}) {
    const auto mine = std::find(members.begin(), members.end(), Rank{process().rank()});
    if (mine == members.end()) continue;
    const auto channel = process().transport->open(members, {});
    const Point p{.operation = "all_reduce"};
    EXPECT_EQ(wrong_elements(*channel, p, members, static_cast<int>(mine - members.begin())), 0U);
  }
}

TEST_F(Operations, RunFromGraphs) {
  for (const std::string_view operation : {"all_reduce", "all_to_allv", "memory_copy", "null", "barrier"}) {
    EXPECT_EQ(wrong({.operation = operation, .graph = true}), 0U) << operation;
  }
}

TEST_F(Operations, RunOnRegisteredBuffers) {
  for (const Registration registration : {Registration::local, Registration::symmetric}) {
    for (const bool in_place : {false, true}) {
      const Point p{.operation = "reduce_scatter", .in_place = in_place, .registration = registration};
      EXPECT_EQ(wrong(p), 0U) << name(registration);
    }
  }
}

TEST_F(Operations, RefuseSymmetricBuffersThatAreNot) {
  const auto channel = process().transport->open(process().all(), {});
  const OperationSpec uneven =
      specify({.operation = "gather", .registration = Registration::symmetric}, *channel, process().world.workers());
  EXPECT_NE(process().transport->refusal(uneven).value_or("").find("one size on all ranks"), std::string::npos);
  EXPECT_THROW(Workload(*channel, process().memory, uneven, Rank{process().rank()}, 7), UsageError);

  const OperationSpec elsewhere = specify({.operation = "all_reduce", .registration = Registration::symmetric},
                                          *channel, process().world.workers());
  EXPECT_FALSE(process().transport->refusal(elsewhere).has_value());
  EXPECT_THROW(Workload(*channel, process().memory, elsewhere, Rank{process().rank()}, 7), UsageError);
}

}  // namespace
}  // namespace busbar::testing
