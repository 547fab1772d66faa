// The tuner plugin in NCCL's own calling sequence: found by its newest symbol, initialised by every rank of a
// communicator, asked about every collective with a fresh cost table, whose least cost NCCL then takes, finalised.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <optional>
#include <vector>

#include "plugins/tuner_api.h"
#include "plugins/tuner_interfaces.h"

namespace busbar::plugins::test {
namespace {

using namespace nccl_abi;

using CostTable = std::array<std::array<float, protocols>, algorithms>;

/// A communicator's abilities, as far as NCCL's model goes.
struct Place {
  std::size_t ranks;
  std::size_t nodes;
  bool nvls;
  bool collnet;
};

/// What NCCL has for a function (src/graph/tuning.cc, 2.28.9): Ring for all; Tree and NVLS Tree for AllReduce; NVLS and
/// CollNet Direct for AllReduce, AllGather and ReduceScatter; CollNet Chain for AllReduce; PAT for AllGather and
/// ReduceScatter with one rank a node; low-latency protocols for Ring and Tree only.
bool offers(Function function, Algorithm algorithm, Protocol protocol, const Place& place) {
  const bool halves = function == all_gather || function == reduce_scatter;
  if (protocol != simple && algorithm != ring && algorithm != tree) return false;
  switch (algorithm) {
    case ring: return true;
    case tree: return function == all_reduce;
    case collnet_direct: return place.collnet && (function == all_reduce || halves);
    case collnet_chain: return place.collnet && function == all_reduce;
    case nvls: return place.nvls && (function == all_reduce || halves);
    case nvls_tree: return place.nvls && place.nodes > 1 && function == all_reduce;
    case pat: return halves && place.ranks == place.nodes;
  }
  return false;
}

/// Fresh for every collective: predictions that rise with the combination's number, and -1 for what it has not.
CostTable costs_of(Function function, const Place& place) {
  CostTable costs{};
  float prediction = 20.0F;
  for (int a = 0; a < algorithms; ++a) {
    for (int p = 0; p < protocols; ++p, prediction += 1.0F) {
      const bool offered = offers(function, static_cast<Algorithm>(a), static_cast<Protocol>(p), place);
      costs[static_cast<std::size_t>(a)][static_cast<std::size_t>(p)] = offered ? prediction : not_available;
    }
  }
  return costs;
}

struct Taken {
  int algorithm = -1;
  int protocol = -1;
  int channels = 0;
  bool operator==(const Taken&) const = default;
};

/// NCCL's choice (src/enqueue.cc, topoGetAlgoInfo): the least cost of 0 or more, the first of equals.
Taken least(const CostTable& costs, int channels) {
  Taken taken{.channels = channels};
  float minimum = 3.4e38F;
  for (int a = 0; a < algorithms; ++a) {
    for (int p = 0; p < protocols; ++p) {
      const float cost = costs[static_cast<std::size_t>(a)][static_cast<std::size_t>(p)];
      if (cost < 0.0F || cost >= minimum) continue;
      minimum = cost;
      taken.algorithm = a;
      taken.protocol = p;
    }
  }
  return taken;
}

/// One rank's part of a communicator.
class Rank {
 public:
  Rank(const TunerInterface& tuner, std::uint64_t id, const Place& place) : tuner_(tuner), place_(place) {
    EXPECT_EQ(tuner.init(&context_, id, place.ranks, place.nodes), success);
  }
  Rank(const Rank&) = delete;
  Rank& operator=(const Rank&) = delete;
  ~Rank() { EXPECT_EQ(tuner_.finalize(context_), success); }

  /// One collective: asked with a fresh table and 0 channels, then the least cost.
  Taken enqueue(Function function, std::size_t bytes, int pipe_ops, int registered) {
    CostTable costs = costs_of(function, place_);
    const CostTable before = costs;
    int channels = 0;
    EXPECT_EQ(
        tuner_.ask(context_, function, bytes, pipe_ops, reinterpret_cast<float**>(costs.data()), registered, &channels),
        success);
    EXPECT_TRUE(nothing_unavailable_appeared(before, costs));
    return least(costs, channels);
  }

 private:
  static bool nothing_unavailable_appeared(const CostTable& before, const CostTable& after) {
    for (std::size_t a = 0; a < before.size(); ++a) {
      for (std::size_t p = 0; p < before[a].size(); ++p) {
        if (before[a][p] < 0.0F && after[a][p] != before[a][p]) return false;
      }
    }
    return true;
  }

  const TunerInterface& tuner_;
  Place place_;
  void* context_ = nullptr;
};

constexpr auto table =
    "# fabric: test\n"
    "allreduce,0,4096,tree,ll,2,4,-1\n"
    "allreduce,4097,1048576,nvls_tree,simple,-1,4,32\n"  // passed over where there is no NVLS
    "allreduce,4097,1048576,ring,ll128,8,4,32\n"
    "allreduce,1048577,-1,collnet_direct,simple,16,4,32\n"  // its channels stay with NCCL
    "allgather,0,-1,pat,simple,4,4,4\n"
    "reducescatter,65536,-1,ring,simple,6,-1,-1,2\n"
    "reduce,0,-1,tree,simple,3,-1,-1\n"  // NCCL has no such thing
    "broadcast,0,-1,ring,ll,1,-1,-1,-1,1\n";

/// What the table says, worked out by hand.
Taken expected(Function function, std::size_t bytes, int pipe_ops, bool registered, const Place& place) {
  const Taken ncclsown = least(costs_of(function, place), 0);
  switch (function) {
    case all_reduce:
      if (place.nodes != 4) return ncclsown;
      if (bytes <= 4096) return {tree, ll, 2};
      if (place.ranks != 32) return ncclsown;
      if (bytes <= 1048576) return place.nvls ? Taken{nvls_tree, simple, 0} : Taken{ring, ll128, 8};
      return place.collnet ? Taken{collnet_direct, simple, 0} : ncclsown;
    case all_gather: return place.nodes == 4 && place.ranks == 4 ? Taken{pat, simple, 4} : ncclsown;
    case reduce_scatter: return bytes >= 65536 && pipe_ops == 2 ? Taken{ring, simple, 6} : ncclsown;
    case reduce: return ncclsown;
    case broadcast: return registered ? Taken{ring, ll, 1} : ncclsown;
  }
  return ncclsown;
}

/// By the newest interface of the NCCL that loads the plugin.
class TunerCalls : public testing::TestWithParam<int> {
 protected:
  TunerCalls() {
    std::ofstream(folder_.path() / "table.csv") << table;
    environment_.emplace("BUSBAR_TUNER_TABLE", (folder_.path() / "table.csv").string());
    library_.emplace(BUSBAR_TUNER_PLUGIN);
    tuner_ = find_tuner(*library_, GetParam());
  }

  void enqueue_everything(std::vector<Rank*> ranks, const Place& place) {
    for (int function = 0; function < tuned_functions; ++function) {
      for (std::size_t bytes = 1; bytes <= std::size_t{16} << 30U; bytes *= 2) {
        for (const int pipe_ops : {1, 2}) {
          for (const int registered : {0, 1}) {
            const Taken wanted = expected(static_cast<Function>(function), bytes, pipe_ops,
                                          registered == 1 && tuner_->tells_registration(), place);
            for (Rank* rank : ranks) {
              const Taken taken = rank->enqueue(static_cast<Function>(function), bytes, pipe_ops, registered);
              ASSERT_EQ(taken, wanted) << "function " << function << ", " << bytes << " bytes, " << pipe_ops;
            }
          }
        }
      }
    }
  }

  TemporaryFolder folder_;
  std::optional<Environment> environment_;
  NcclLog log_;
  std::optional<PluginLibrary> library_;
  std::unique_ptr<TunerInterface> tuner_;
};

TEST_P(TunerCalls, EveryCollectiveOfEverySizeOnEveryKindOfCommunicator) {
  ASSERT_NE(tuner_, nullptr);
  EXPECT_STREQ(tuner_->name(), "Busbar");
  for (const Place& place : {Place{32, 4, true, true}, Place{32, 4, true, false}, Place{32, 4, false, false},
                             Place{4, 4, false, false}, Place{8, 1, true, false}, Place{2, 2, false, true}}) {
    Rank rank(*tuner_, 0x77, place);
    enqueue_everything({&rank}, place);
  }
  EXPECT_THAT(log_.warnings(), testing::IsEmpty());
}

// A world, its halves split from it while it lives, and the world's end before theirs; two ranks in one process.
TEST_P(TunerCalls, CommunicatorsLiveSideBySide) {
  const Place world{32, 4, true, true};
  const Place half{4, 4, false, false};
  std::optional<Rank> first(std::in_place, *tuner_, 0x77U, world);
  std::optional<Rank> second(std::in_place, *tuner_, 0x77U, world);
  Rank split(*tuner_, 0x78, half);
  enqueue_everything({&*first, &*second}, world);
  enqueue_everything({&split}, half);
  first.reset();
  enqueue_everything({&*second}, world);
  second.reset();
  enqueue_everything({&split}, half);
  EXPECT_THAT(log_.at(log_info), testing::SizeIs(1));  // the file is read once
}

// NCCL closes a plugin with its last communicator and loads it again for the next one.
TEST_P(TunerCalls, TheTableOutlivesTheLibrarysClosing) {
  const Place place{32, 4, false, false};
  { Rank(*tuner_, 1, place).enqueue(all_reduce, 8, 1, 0); }
  library_->close();
  Rank again(*tuner_, 2, place);
  EXPECT_EQ(again.enqueue(all_reduce, 8, 1, 0), (Taken{tree, ll, 2}));
}

// NCCL_ALGO and NCCL_PROTO come first: what they exclude is not available in the table that the tuner sees.
TEST_P(TunerCalls, WhatTheUserExcludedStaysExcluded) {
  void* context = nullptr;
  ASSERT_EQ(tuner_->init(&context, 3, 32, 4), success);
  CostTable costs = costs_of(all_reduce, {32, 4, false, false});
  costs[tree] = {not_available, not_available, not_available};
  int channels = 0;
  ASSERT_EQ(tuner_->ask(context, all_reduce, 8, 1, reinterpret_cast<float**>(costs.data()), 0, &channels), success);
  EXPECT_EQ(least(costs, channels), (Taken{ring, ll, 0}));
  ASSERT_EQ(tuner_->finalize(context), success);
}

INSTANTIATE_TEST_SUITE_P(NewestInterface, TunerCalls, testing::Values(3, 4, 5, 6, 7),
                         [](const auto& tested) { return "v" + std::to_string(tested.param); });

}  // namespace
}  // namespace busbar::plugins::test
