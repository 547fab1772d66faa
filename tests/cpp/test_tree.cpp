// Whole trees in one process: every worker and aggregator is a thread, and messages arrive in any order.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>

#include "collectives/registry.h"
#include "crew.h"
#include "fake_messenger.h"
#include "memory/host.h"
#include "transport/tree/aggregator.h"
#include "transport/tree/shape.h"
#include "transport/tree/worker.h"

namespace busbar::tree {
namespace {

constexpr std::size_t canary = 64;
const ProcessId the_test{-1};  // sends the order to leave

/// How one test case's tree looks.
struct Case {
  int ranks = 4;
  int fan_out = 4;  // of every aggregator; levels follow
  std::size_t trees = 1;
  std::size_t chunk = 64;
  std::size_t window = 3;
};

/// The trees of a case: workers 0…ranks-1, then each tree's aggregators, bottom level first.
std::vector<Tree> grow(const Case& c) {
  std::vector<Tree> trees;
  int next = c.ranks;
  std::vector<ProcessId> members;
  for (int r = 0; r < c.ranks; ++r) members.emplace_back(r);
  for (std::size_t t = 0; t < c.trees; ++t) {
    Wiring wiring;
    std::vector<ProcessId> level = members;
    do {
      std::vector<ProcessId> above;
      for (std::size_t i = 0; i < level.size(); ++i) {
        if (i % static_cast<std::size_t>(c.fan_out) == 0) above.emplace_back(next++);
        wiring.emplace(level[i], above.back());
      }
      level = above;
    } while (level.size() > 1);
    trees.push_back(prune(wiring, members));
  }
  return trees;
}

Job job_of(const Collective& op, const Shape& shape, DataType type, std::optional<RedOp> redop, const Case& c) {
  const Traits traits = op.traits();
  return {.flow = traits.tree,
          .type = type,
          .redop = redop.value_or(RedOp::sum),
          .ranks = shape.ranks,
          .root = traits.rooted ? std::optional{shape.root} : std::nullopt,
          .blocks = traits.chunked,
          .elements = traits.has_data ? shape.elements : 0,
          .chunk = c.chunk,
          .window = c.window};
}

/// Serves until the test says that the workers have ended.
void serve(const Job& job, const Node& node, std::size_t tree, std::size_t trees, FakePost& post, std::uint64_t seed) {
  FakeMessenger messenger(post, node.process, seed);
  messenger.reserve(1 + Aggregator::handles(job, node));
  Aggregator aggregator(job, node, tree, trees, 1, messenger);
  aggregator.open();
  messenger.receive(0, the_test, {});
  std::vector<Messenger::Handle> awaited;
  for (bool released = false; !released || !aggregator.at_rest();) {
    awaited.assign(aggregator.awaited().begin(), aggregator.awaited().end());
    if (!released) awaited.push_back(0);
    const std::size_t place = messenger.wait_any(awaited);
    if (awaited[place] == 0) {
      released = true;
    } else {
      aggregator.take(place);
    }
  }
  aggregator.close();
}

/// Buffers of one rank, with a canary on both sides of the output.
struct Rankful {
  std::vector<std::byte> send;
  std::vector<std::byte> recv;
  std::size_t sent_bytes = 0;
};

/// Threads of a whole test.
struct Crews {
  Crew aggregators;
  Crew workers;
};

/// Runs `executions` of an operation on all ranks and returns every rank's output.
std::vector<Rankful> run(Crews& crews, const Collective& op, const Shape& shape, DataType type,
                         std::optional<RedOp> redop, const Case& c, std::uint64_t seed, int executions,
                         const std::function<void(Rank, std::byte*, std::size_t)>& fill) {
  const Job job = job_of(op, shape, type, redop, c);
  const Plan plan(job);
  auto trees = grow(c);
  trees.resize(std::min(trees.size(), plan.chunks()));
  FakePost post;
  std::vector<Rankful> ranks(static_cast<std::size_t>(shape.ranks));
  for (std::size_t t = 0; t < trees.size(); ++t) {
    for (const Node& node : trees[t].nodes) {
      crews.aggregators.start([&, t] { serve(job, node, t, trees.size(), post, seed + 100 + t); });
    }
  }
  for (int r = 0; r < shape.ranks; ++r) {
    crews.workers.start([&, r] {
      const Rank self{r};
      Rankful& mine = ranks[static_cast<std::size_t>(r)];
      const Layout layout = op.layout(shape, self);
      const std::size_t element = size_of(type);
      mine.send.resize(layout.send * element);
      mine.recv.assign(layout.recv * element + 2 * canary, poison_byte);
      std::byte* const recv = mine.recv.data() + canary;
      std::byte* const input = shape.in_place ? recv + layout.input_offset * element : mine.send.data();
      FakeMessenger messenger(post, ProcessId{r}, seed + static_cast<std::uint64_t>(r));
      std::vector<ProcessId> parents;
      for (const Tree& tree : trees) parents.push_back(tree.parents[static_cast<std::size_t>(r)]);
      Worker worker(plan, self, parents, shape.in_place, messenger);
      for (int e = 0; e < executions; ++e) {
        fill(self, layout.send == 0 && layout.input > 0 ? recv + layout.input_offset * element : input, layout.input);
        worker.execute(layout.send == 0 && layout.input > 0 ? recv + layout.input_offset * element : input, recv);
      }
      mine.sent_bytes = messenger.sent_bytes;
    });
  }
  crews.workers.wait();
  for (const Tree& tree : trees) {
    for (const Node& node : tree.nodes) post.put({the_test, node.process}, {});
  }
  crews.aggregators.wait();
  return ranks;
}

void expect_right(Crews& crews, const Collective& op, const Shape& shape, DataType type, std::optional<RedOp> redop,
                  const Case& c, std::uint64_t seed) {
  HostMemory memory;
  const Pattern pattern{.type = type, .redop = redop, .ranks = shape.ranks, .seed = seed};
  const auto ranks = run(crews, op, shape, type, redop, c, seed, 2, [&](Rank self, std::byte* data, std::size_t count) {
    if (count > 0) memory.fill(data, count, pattern, self);
  });
  for (int r = 0; r < shape.ranks; ++r) {
    const auto& recv = ranks[static_cast<std::size_t>(r)].recv;
    for (const Segment& s : op.answer(shape, Rank{r})) {
      EXPECT_EQ(memory.count_wrong(recv.data() + canary + s.offset * size_of(type), s.count, pattern, s.from,
                                   s.source_offset),
                0U)
          << op.traits().name << ' ' << name(type) << " rank " << r << " of " << shape.ranks << ", " << shape.elements
          << " elements, fan-out " << c.fan_out << ", trees " << c.trees << ", chunk " << c.chunk << ", window "
          << c.window << (shape.in_place ? ", in place" : "");
    }
    for (std::size_t i = 0; i < canary; ++i) {
      ASSERT_EQ(recv[i], poison_byte);
      ASSERT_EQ(recv[recv.size() - 1 - i], poison_byte);
    }
  }
}

std::vector<const Collective*> tree_operations() {
  std::vector<const Collective*> found;
  for (const Collective* op : all_collectives()) {
    if (op->traits().tree != TreeFlow::none) found.push_back(op);
  }
  return found;
}

TEST(Tree, CarriesTheOperationsItIsMeantFor) {
  std::vector<std::string_view> names;
  for (const Collective* op : tree_operations()) names.push_back(op->traits().name);
  EXPECT_EQ(names, (std::vector<std::string_view>{"all_gather", "all_reduce", "barrier", "broadcast", "reduce",
                                                  "reduce_scatter"}));
}

TEST(Tree, EveryOperationDatatypeOperatorAndPlacementIsRight) {
  Crews crews;
  std::uint64_t seed = 1;
  for (const Collective* op : tree_operations()) {
    const Traits traits = op->traits();
    for (const DataType type : all_datatypes()) {
      for (const RedOp redop : traits.reduces ? all_redops() : all_redops().first(1)) {
        if (redop == RedOp::premulsum) continue;  // NCCL's alone
        for (const bool in_place : {false, true}) {
          if (in_place && !traits.in_place) continue;
          const Shape shape{.ranks = 5,
                            .root = Rank{3},
                            .elements = !traits.has_data ? 0U
                                        : traits.chunked ? 5U * 67U
                                                         : 331U,
                            .in_place = in_place,
                            .average = traits.reduces && redop == RedOp::avg};
          expect_right(crews, *op, shape, type, traits.reduces ? std::optional{redop} : std::nullopt,
                       {.ranks = 5, .fan_out = 2, .chunk = 32}, ++seed);
        }
      }
    }
  }
}

TEST(Tree, AnyShapeChunkAndWindowIsRight) {
  Crews crews;
  std::mt19937_64 random(7);
  const auto pick = [&](std::size_t low, std::size_t high) { return low + random() % (high - low + 1); };
  for (int round = 0; round < 150; ++round) {
    const auto operations = tree_operations();
    const Collective& op = *operations[pick(0, operations.size() - 1)];
    const Traits traits = op.traits();
    const int ranks = static_cast<int>(pick(1, 9));
    const Case c{.ranks = ranks,
                 .fan_out = static_cast<int>(pick(2, 9)),
                 .trees = pick(1, 3),
                 .chunk = pick(1, 40),
                 .window = pick(1, 9)};
    const std::size_t size = pick(1, 300);
    const Shape shape{.ranks = ranks,
                      .root = Rank{static_cast<int>(pick(0, static_cast<std::size_t>(ranks) - 1))},
                      .elements = !traits.has_data ? 0U
                                  : traits.chunked ? size * static_cast<std::size_t>(ranks)
                                                   : size,
                      .in_place = traits.in_place && random() % 2 == 0};
    expect_right(crews, op, shape, DataType::int32, traits.reduces ? std::optional{RedOp::sum} : std::nullopt, c,
                 random());
  }
}

// Sums of these depend on their order; the same bits on every rank and under every arrival order mean that it is fixed.
TEST(Tree, SumsOfFloatsAreTheSameWhateverArrivesFirst) {
  Crews crews;
  const Shape shape{.ranks = 7, .elements = 500};
  const auto fill = [](Rank self, std::byte* data, std::size_t count) {
    std::mt19937_64 random(static_cast<std::uint64_t>(self.value) + 1);
    std::uniform_real_distribution<float> values(-1e6F, 1e6F);
    for (std::size_t i = 0; i < count; ++i) reinterpret_cast<float*>(data)[i] = values(random);
  };
  std::vector<std::byte> first;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto ranks = run(crews, find_collective("all_reduce"), shape, DataType::float32, RedOp::sum,
                           {.ranks = 7, .fan_out = 3, .trees = 2, .chunk = 16, .window = 4}, seed, 1, fill);
    if (first.empty()) first = ranks.front().recv;
    for (const Rankful& rank : ranks) EXPECT_EQ(rank.recv, first);
  }
}

// What theory expects on the wire: S up from every rank, whatever their number; nothing from those with nothing to say.
TEST(Tree, WorkersSendWhatTheoryExpects) {
  Crews crews;
  const auto sent = [&](std::string_view op, std::size_t elements, bool reduces) {
    const auto ranks = run(crews, find_collective(op), {.ranks = 6, .root = Rank{2}, .elements = elements},
                           DataType::float32, reduces ? std::optional{RedOp::sum} : std::nullopt,
                           {.ranks = 6, .fan_out = 3}, 1, 1, [](Rank, std::byte*, std::size_t) {});
    std::vector<std::size_t> bytes;
    for (const Rankful& rank : ranks) bytes.push_back(rank.sent_bytes);
    return bytes;
  };
  using Bytes = std::vector<std::size_t>;
  EXPECT_EQ(sent("all_reduce", 600, true), Bytes(6, 2400));
  EXPECT_EQ(sent("reduce", 600, true), Bytes(6, 2400));
  EXPECT_EQ(sent("reduce_scatter", 600, true), Bytes(6, 2400));
  EXPECT_EQ(sent("all_gather", 600, false), Bytes(6, 400));
  EXPECT_EQ(sent("broadcast", 600, false), (Bytes{0, 0, 2400, 0, 0, 0}));
  EXPECT_EQ(sent("barrier", 0, false), Bytes(6, 0));
}

}  // namespace
}  // namespace busbar::tree
