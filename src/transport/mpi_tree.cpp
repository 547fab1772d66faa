#include "transport/mpi_tree.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>
#include <limits>
#include <set>

#include "core/error.h"
#include "transport/mpi_messenger.h"
#include "transport/mpi_orders.h"
#include "transport/tree/worker.h"

namespace busbar::mpi {
namespace {

constexpr std::string_view chunk_key = "in_network_chunk";
constexpr std::string_view window_key = "in_network_window";
constexpr std::string_view trees_key = "in_network_trees";

// One chunk is one MPI message, whose length is an int.
constexpr std::size_t largest_chunk = std::size_t{1} << 30;
constexpr std::size_t largest_window = 4096;

std::size_t parse_count(std::string_view key, std::string_view text, std::size_t most, bool is_size) {
  std::size_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  const std::string_view unit{rest, static_cast<std::size_t>(end - rest)};
  const bool kibi = is_size && (unit == "K" || unit == "k");
  const bool mebi = is_size && (unit == "M" || unit == "m");
  const std::size_t scale = kibi ? 1024 : mebi ? std::size_t{1024} * 1024 : 1;
  const bool known_unit = unit.empty() || kibi || mebi;
  if (error != std::errc{} || !known_unit || value == 0 || value > most / scale) {
    throw UsageError(fmt::format("variant setting {}='{}' is none; accepted: 1 to {}{}", key, text, most,
                                 is_size ? " bytes, with K or M for powers of 1024" : ""));
  }
  return value * scale;
}

tree::Job job_of(const OperationSpec& spec, const TreeSettings& settings) {
  const Traits traits = spec.collective->traits();
  const Shape& shape = spec.shape;
  return {.flow = traits.tree,
          .type = spec.type,
          .redop = spec.redop.value_or(RedOp::sum),
          .ranks = shape.ranks,
          .root = traits.rooted ? std::optional{shape.root} : std::nullopt,
          .blocks = traits.chunked,
          .elements = traits.has_data ? shape.elements : 0,
          .chunk = std::max<std::size_t>(1, settings.chunk_bytes / size_of(spec.type)),
          .window = settings.window,
          .payload = spec.payload};
}

/// A job that aggregators hold, given back on destruction.
class Engagement {
 public:
  Engagement(MPI_Comm everyone, const std::vector<tree::Tree>& trees, const OperationSpec& spec, const tree::Job& job)
      : orders_(everyone) {
    for (std::size_t t = 0; t < trees.size(); ++t) {
      for (const tree::Node& node : trees[t].nodes) {
        orders_.assign(node.process, {.job = job,
                                      .tree = t,
                                      .trees = trees.size(),
                                      .node = node,
                                      .operation = std::string{spec.collective->traits().name},
                                      .size = Bytes{spec.shape.elements * size_of(spec.type)},
                                      .deadline = spec.deadline});
        engaged_.push_back(node.process);
      }
    }
    for (const ProcessId process : engaged_) orders_.await_ready(process);
  }
  ~Engagement() {
    // On the way out of an error nobody may be there to answer; the launch is about to be aborted.
    if (std::uncaught_exceptions() > 0) return;
    try {
      for (const ProcessId process : engaged_) orders_.release(process);
      for (const ProcessId process : engaged_) orders_.await_ready(process);
    } catch (const std::exception& problem) {
      fmt::print(stderr, "busbar-bench: releasing the aggregators: {}\n", problem.what());
    }
  }
  Engagement(const Engagement&) = delete;
  Engagement& operator=(const Engagement&) = delete;
  Engagement(Engagement&&) = delete;
  Engagement& operator=(Engagement&&) = delete;

 private:
  AggregatorOrders orders_;
  std::vector<ProcessId> engaged_;
};

class TreeOperation final : public Operation {
 public:
  TreeOperation(MPI_Comm everyone, std::unique_ptr<Engagement> engagement, const tree::Plan& plan, Rank self,
                std::vector<ProcessId> parents, const OperationSpec& spec, const Buffers& buffers)
      : engagement_(std::move(engagement)),
        messenger_(everyone),
        worker_(plan, self, std::move(parents), spec.shape.in_place, messenger_),
        buffers_(buffers) {}
  void enqueue(int slot) override { worker_.execute(buffers_.input[slot], buffers_.recv); }
  void complete() override {}

 private:
  std::unique_ptr<Engagement> engagement_;  ///< the group's first rank speaks for all
  MpiMessenger messenger_;
  tree::Worker worker_;
  Buffers buffers_;
};

class TreeChannel final : public Channel {
 public:
  TreeChannel(const World& world, const std::vector<tree::Wiring>& wirings, const std::vector<Rank>& members,
              const TreeSettings& settings, Communicator comm)
      : world_(world), settings_(settings), comm_(std::move(comm)) {
    check(MPI_Comm_rank(comm_.get(), &self_.value), "MPI_Comm_rank");
    std::vector<ProcessId> processes;
    for (const Rank member : members) processes.emplace_back(member.value);  // workers are the first processes
    const std::size_t wanted = settings.trees == 0 ? wirings.size() : std::min(settings.trees, wirings.size());
    for (std::size_t t = 0; t < wanted; ++t) trees_.push_back(tree::prune(wirings[t], processes));
  }

  InPlaceResult in_place_result() const override { return InPlaceResult::at_start; }
  std::size_t scratch_elements(const OperationSpec& /*spec*/) const override { return 0; }

  std::unique_ptr<Operation> prepare(const OperationSpec& spec, const Buffers& buffers) override {
    const tree::Job job = job_of(spec, settings_);
    const tree::Plan plan(job);
    // A tree without a chunk would have nothing to do.
    const std::vector<tree::Tree> trees(
        trees_.begin(), trees_.begin() + static_cast<std::ptrdiff_t>(std::min(trees_.size(), plan.chunks())));
    std::unique_ptr<Engagement> engagement;
    if (self_ == Rank{0}) engagement = std::make_unique<Engagement>(world_.everyone(), trees, spec, job);
    // Nobody may send to an aggregator that still serves the job before.
    check(MPI_Barrier(comm_.get()), "MPI_Barrier");
    std::vector<ProcessId> parents;
    for (const tree::Tree& t : trees) parents.push_back(t.parents[static_cast<std::size_t>(self_.value)]);
    return std::make_unique<TreeOperation>(world_.everyone(), std::move(engagement), plan, self_, std::move(parents),
                                           spec, buffers);
  }

  Observation observe() const override {
    std::set<std::string> hosts;
    for (const tree::Tree& t : trees_) {
      for (const tree::Node& n : t.nodes)
        hosts.insert(world_.processes()[static_cast<std::size_t>(n.process.value)].host);
    }
    Observation seen;
    seen.algorithm = "software tree";
    seen.how.push_back(fmt::format("busbar reduced on {}: {} tree(s), levels {}, chunk {} bytes, window {}",
                                   fmt::join(hosts, ", "), trees_.size(), trees_.front().levels, settings_.chunk_bytes,
                                   settings_.window));
    return seen;
  }

 private:
  const World& world_;
  TreeSettings settings_;
  Communicator comm_;
  Rank self_;
  std::vector<tree::Tree> trees_;
};

}  // namespace

bool TreeSettings::has_key(const std::string& key) { return key == chunk_key || key == window_key || key == trees_key; }

TreeSettings TreeSettings::parse(const Settings& settings) {
  TreeSettings parsed;
  for (const auto& [key, value] : settings) {
    if (key == chunk_key) parsed.chunk_bytes = parse_count(key, value, largest_chunk, true);
    if (key == window_key) parsed.window = parse_count(key, value, largest_window, false);
    if (key == trees_key) parsed.trees = parse_count(key, value, std::numeric_limits<int>::max(), false);
  }
  return parsed;
}

std::unique_ptr<Channel> open_tree_channel(const World& world, const std::vector<tree::Wiring>& wirings,
                                           const std::vector<Rank>& members, const TreeSettings& settings,
                                           Communicator comm) {
  return std::make_unique<TreeChannel>(world, wirings, members, settings, std::move(comm));
}

}  // namespace busbar::mpi
