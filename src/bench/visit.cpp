#include "bench/visit.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>

#include "bench/gpu_health.h"
#include "bench/nvlink.h"
#include "measure/exchange.h"
#include "observe/host.h"
#include "record/block_json.h"

namespace busbar {
namespace {

using Json = nlohmann::json;

// Libraries have only so many communicators, and all pairs of some hosts are more; one that is not used for so many
// visits is given back.
constexpr std::uint64_t kept_visits = 32;

OperationSpec specify(const VisitRequest& visit, InPlaceResult in_place_result) {
  const PointRequest& point = visit.point;
  return OperationSpec{.collective = point.collective,
                       .shape = Shape{.ranks = point.group.ranks_per_part(),
                                      .root = point.root.value_or(Rank{0}),
                                      .elements = point.size.value / size_of(point.type),
                                      .in_place = point.in_place,
                                      .in_place_result = in_place_result,
                                      .average = point.redop == RedOp::avg},
                       .type = point.type,
                       .redop = point.redop,
                       .graph = point.graph,
                       .registration = point.registration,
                       .payload = visit.payload};
}

Nanoseconds deadline_of(const VisitRequest& visit) {
  return std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(visit.deadline_seconds));
}

SamplingPlan sampling_plan(const VisitRequest& visit) {
  return SamplingPlan{.pipelined = visit.point.timing == Timing::pipelined,
                      .time_share = visit.point.collective->traits().time_share,
                      .stopping = visit.stopping,
                      .rest = std::chrono::duration_cast<Nanoseconds>(Microseconds{visit.rest_us}),
                      .warmup_samples = visit.warmup.min_samples,
                      .warmup_seconds = visit.warmup.min_seconds};
}

/// The same order on every rank: the shuffle is written out because the standard's is not the same everywhere.
std::vector<std::size_t> shuffled(std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::mt19937_64 random(seed);
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random() % i]);
  return order;
}

/// What the nodes' leaders counted: bytes per execution and node, faults in all.
void put_counters(const GroupContext& group, const std::vector<Counters>& by_rank, std::uint64_t executions,
                  BlockFacts& facts) {
  const auto per_execution = [executions](std::optional<std::uint64_t> bytes) {
    return bytes ? std::optional{static_cast<double>(*bytes) / static_cast<double>(executions)} : std::nullopt;
  };
  for (const Counters& node : group.of_leaders(by_rank)) {
    facts.tx_bytes.push_back(per_execution(node.tx_bytes));
    facts.rx_bytes.push_back(per_execution(node.rx_bytes));
    for (std::size_t f = 0; f < fault_count; ++f) {
      if (node.faults[f]) facts.faults[f] = facts.faults[f].value_or(0) + *node.faults[f];
    }
    for (std::size_t i = 0; i < congestion_count; ++i) {
      if (node.congestion[i]) facts.congestion[i] = facts.congestion[i].value_or(0) + *node.congestion[i];
    }
  }
}

void put_verification(Control& control, const Verification& mine, BlockFacts& facts) {
  for (const Verification& v : gather_value(control, mine)) {
    facts.checked_elements += v.checked;
    facts.wrong_elements += v.wrong;
  }
}

}  // namespace

Visitor::Visitor(Runtime& runtime, const Launch& launch, Progress& progress, CounterReader* counters)
    : runtime_(runtime), launch_(launch), progress_(progress), counters_(counters) {
  for (const Place& place : launch.places) hosts_.push_back(place.host);
}

std::optional<std::string> Visitor::objection(const VisitRequest& visit) const {
  for (const Variant& v : visit.variants) {
    if (auto why = runtime_.transport().objection(v.settings, *visit.point.collective)) return why;
    if (visit.point.group.parts.size() > 1 && runtime_.transport().has_one_at_a_time(v.settings)) {
      return fmt::format(
          "variant '{}' reduces in the network, which serves one communicator at a time, and group '{}' "
          "has {} side by side; accepted is one",
          v.name, visit.point.group.name, visit.point.group.parts.size());
    }
  }
  const PointRequest& point = visit.point;
  if (runtime_.memory().name() == "host" && (point.graph || point.registration != Registration::none)) {
    return "graphs and registered buffers belong to GPU memory; accepted for host memory is graph=false and "
           "registration=none";
  }
  if (auto why = runtime_.transport().refusal(specify(visit, InPlaceResult::at_start))) return why;
  if (!visit.payload) {
    if (runtime_.hollow_memory() != nullptr) return std::nullopt;
    return "payload=false belongs to a simulated launch; accepted here is payload=true";
  }
  // Memory that is not there would be found by the kernel's out-of-memory killer, which gives no sentence.
  if (runtime_.memory().name() != "host") return std::nullopt;  // a GPU says itself when it is full
  const auto available = available_memory();
  const auto per_host = [&] {
    std::map<std::string, int> ranks;
    for (const Rank r : visit.point.group.members) ++ranks[launch_.places.at(static_cast<std::size_t>(r.value)).host];
    return std::max_element(ranks.begin(), ranks.end(), [](auto& a, auto& b) { return a.second < b.second; })->second;
  }();
  const Layout layout = visit.point.collective->layout(specify(visit, InPlaceResult::at_start).shape, Rank{0});
  // Two inputs, the output, and as much again for scratch and what the library keeps.
  const std::uint64_t elements = 2 * layout.input + 2 * layout.recv;
  const std::uint64_t need = elements * size_of(visit.point.type) * static_cast<std::uint64_t>(per_host);
  if (available && need > available->value) {
    return fmt::format(
        "size {} needs some {} bytes of memory on a host with {} ranks, which has {} left; accepted: less",
        visit.point.size.value, need, per_host, available->value);
  }
  return std::nullopt;
}

MemorySpace& Visitor::memory_for(const OperationSpec& spec) const {
  if (!spec.payload) return *runtime_.hollow_memory();
  const bool symmetric = spec.registration == Registration::symmetric && runtime_.symmetric_memory() != nullptr;
  return symmetric ? *runtime_.symmetric_memory() : runtime_.memory();
}

std::optional<gpu::Health> Visitor::health() const {
  if (runtime_.gpu() == nullptr) return std::nullopt;
  return runtime_.gpu()->health();
}

GroupContext& Visitor::context_of(const Group& group) {
  Kept& kept = groups_[{group.members, group.parts}];
  kept.last_visit = visits_;
  if (!kept.context) kept.context = std::make_unique<GroupContext>(runtime_, launch_, progress_, counters_, group);
  return *kept.context;
}

/// All members of a group saw the same visits, so they forget it at the same one: opening and closing are collective.
void Visitor::forget_unused_groups() {
  std::erase_if(groups_, [&](const auto& group) { return group.second.last_visit + kept_visits < visits_; });
}

void Visitor::carry_out(const VisitRequest& visit, const Emit& emit) {
  Control& workers = runtime_.workers();
  progress_.begin_visit();
  ++visits_;
  forget_unused_groups();
  const auto& members = visit.point.group.members;
  const bool takes_part = std::find(members.begin(), members.end(), workers.rank()) != members.end();
  const Rank leader = members.front();
  const bool leads = workers.rank() == leader;
  Json held =
      Json::array();  // by a leader that is not rank 0: sent when all is done, as rank 0 may be taking part until then
  if (takes_part) {
    progress_.begin_point(visit.point.collective->traits().name, visit.point.size, visit.variants.front().name,
                          deadline_of(visit));
    progress_.enter(Phase::prepare, runtime_.clock().now());
    GroupContext& group = context_of(visit.point.group);
    for (const std::size_t v : shuffled(visit.variants.size(), visit.seed)) {
      const Json block = run_block(visit, visit.variants[v], group);
      if (leads && workers.is_root()) emit(block);
      if (leads && !workers.is_root()) held.push_back(block);
    }
  }
  if (leader == Rank{0}) return;
  progress_.enter(Phase::gather, runtime_.clock().now());
  if (leads) send_text(workers, Rank{0}, held.dump());
  if (workers.is_root()) {
    for (const Json& block : Json::parse(receive_text(workers, leader))) emit(block);
  }
}

Json Visitor::run_block(const VisitRequest& visit, const Variant& variant, GroupContext& group) {
  const PointRequest& point = visit.point;
  const Clock& clock = runtime_.clock();
  Control& control = group.control();
  progress_.begin_point(point.collective->traits().name, point.size, variant.name, deadline_of(visit));
  progress_.enter(Phase::prepare, clock.now());
  const Nanoseconds begin = clock.now();
  Channel& channel = group.channel(variant.settings);
  OperationSpec spec = specify(visit, channel.in_place_result());
  spec.deadline = deadline_of(visit);
  Workload workload(channel, memory_for(spec), spec, group.rank_in_part(), visit.seed);
  const double prepare_us = as_us(clock.now() - begin);

  const SamplingPlan plan = sampling_plan(visit);
  group.sampler().warm_up(workload, plan);
  const auto health_before = health();
  const Samples samples = group.sampler().sample(workload, plan);
  const auto health_after = health();

  progress_.enter(Phase::verify, clock.now());
  BlockFacts facts{.transport = runtime_.transport().name(),
                   .memory = runtime_.memory().name(),
                   .variant = variant.name,
                   .nodes = group.nodes(),
                   .threads = launch_.threads,
                   .algorithm_bytes = point.collective->algorithm_elements(spec.shape) * size_of(point.type),
                   .bus_factor = point.collective->bus_factor(spec.shape.ranks),
                   .launch_began = launch_.began,
                   .prepare_us = prepare_us,
                   .observation = channel.observe()};
  if (visit.payload) put_verification(control, workload.verify(samples.last_slot), facts);
  progress_.enter(Phase::gather, clock.now());
  const auto counters = gather_value(control, samples.counters);
  if (runtime_.gpu() != nullptr) {
    GroupHealth gpus = gather_health(control, health_before, health_after);
    facts.gpu_health = std::move(gpus.by_rank);
    facts.throttled = gpus.throttled;
    facts.nvlink = gather_nvlink(control, health_before, health_after, samples.executions);
  }
  if (!control.is_root()) return {};
  put_counters(group, counters, samples.executions, facts);
  return block_json(visit, samples, facts);
}

}  // namespace busbar
