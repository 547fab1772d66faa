#include "record/block_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "bench/ranks.h"
#include "core/or_null.h"

namespace busbar {
namespace {

using Json = nlohmann::json;

/// Nanoseconds are what the clock resolves; more digits would only lengthen the journal.
double rounded(double us) { return std::round(us * 1000) / 1000; }

Json rounded(const std::vector<double>& us) {
  Json list = Json::array();
  for (const double v : us) list.push_back(rounded(v));
  return list;
}

template <class T>
Json list_or_null(const std::vector<std::optional<T>>& values) {
  Json list = Json::array();
  for (const auto& v : values) list.push_back(or_null(v));
  return list;
}

Json faults_json(const BlockFacts& facts) {
  Json faults = Json::object();
  for (std::size_t f = 0; f < fault_count; ++f)
    faults[std::string{name(static_cast<Fault>(f))}] = or_null(facts.faults[f]);
  return faults;
}

Json congestion_json(const BlockFacts& facts) {
  Json signs = Json::object();
  for (std::size_t i = 0; i < congestion_count; ++i)
    signs[std::string{name(static_cast<Congestion>(i))}] = or_null(facts.congestion[i]);
  return signs;
}

Json by_rank(const std::vector<std::string>& texts) {
  if (texts.empty()) return {};
  Json list = Json::array();
  for (const std::string& text : texts) list.push_back(Json::parse(text));
  return list;
}

Json group_json(const Group& group, int nodes) {
  Json parts;
  for (const auto& part : group.parts) parts.push_back(format_ranks(part));
  return {{"name", group.name},
          {"ranks", format_ranks(group.members)},
          {"nodes", nodes},
          {"split", group.split == Split::none ? Json() : Json(name(group.split))},
          {"parts", parts}};
}

Json parts_json(const Samples& samples) {
  Json parts;
  for (const auto& part_us : samples.parts_us) parts.push_back(rounded(part_us));
  return parts;
}

Json key_json(const PointRequest& point, const BlockFacts& facts) {
  return {{"transport", facts.transport},
          {"op", point.collective->traits().name},
          {"size_bytes", point.size.value},
          {"datatype", name(point.type)},
          {"redop", point.redop ? Json(name(*point.redop)) : Json()},
          {"root", point.root ? Json(point.root->value) : Json()},
          {"in_place", point.in_place},
          {"memory", facts.memory},
          {"registration", name(point.registration)},
          {"graph", point.graph},
          {"threads", facts.threads},
          {"timing", name(point.timing)},
          {"clock_scope", "host"},
          {"variant", facts.variant},
          {"group", group_json(point.group, facts.nodes)}};
}

/// The peers' figures from the same samples. OSU times collectives one by one and takes the mean over iterations and
/// ranks; it times ping-pong back to back at rank 0. nccl-tests times back to back and takes the mean over ranks.
Json estimators_json(const PointRequest& point, const Samples& samples) {
  const bool pipelined = point.timing == Timing::pipelined;
  const bool p2p = point.collective->traits().point_to_point;
  Json osu;
  if (p2p && pipelined) osu = rounded(samples.root_mean_us);
  if (!p2p && !pipelined) osu = rounded(samples.mean_of_ranks_us);
  return {{"osu_mean", osu}, {"nccltests_pipelined", pipelined ? Json(rounded(samples.mean_of_ranks_us)) : Json()}};
}

}  // namespace

Json block_json(const VisitRequest& visit, const Samples& samples, const BlockFacts& facts) {
  Json block{
      {"round", visit.round},
      {"t0_s", static_cast<double>((samples.first_start - facts.launch_began).count()) / 1e9},
      {"samples_us", rounded(samples.samples_us)},
      {"parts_us", parts_json(samples)},
      {"stop_reason", name(samples.stop_reason)},
      {"late_rank", list_or_null(samples.late_rank)},
      {"last_rank", samples.last_rank},
      {"ranks", {{"arrival_us", rounded(samples.arrival_us)}, {"finish_us", rounded(samples.finish_us)}}},
      {"clock_error_us", rounded(as_us(samples.clock_error))},
      {"first_call_us", samples.first_call_us ? Json(rounded(*samples.first_call_us)) : Json()},
      {"prepare_us", rounded(facts.prepare_us)},
      {"estimators", estimators_json(visit.point, samples)},
      {"checked_elements", visit.payload ? Json(facts.checked_elements) : Json()},
      {"wrong_elements", visit.payload ? Json(facts.wrong_elements) : Json()},
      {"verified", visit.payload ? "every_block" : "waived"},
      {"executions", samples.executions},
      {"errors", faults_json(facts)},
      {"congestion", congestion_json(facts)},
      {"spoiled_samples", samples.spoiled},
      {"device_us", samples.device_us.empty() ? Json() : rounded(samples.device_us)},
      {"throttled", or_null(facts.throttled)},
      {"gpu_health", by_rank(facts.gpu_health)},
      {"nvlink", by_rank(facts.nvlink)},
      {"wire",
       {{"tx_bytes_per_node", list_or_null(facts.tx_bytes)}, {"rx_bytes_per_node", list_or_null(facts.rx_bytes)}}},
      {"observed",
       {{"algorithm", or_null(facts.observation.algorithm)},
        {"protocol", or_null(facts.observation.protocol)},
        {"channels", or_null(facts.observation.channels)},
        {"in_network", or_null(facts.observation.in_network)},
        {"how", facts.observation.how},
        {"bytes_per_peer", nullptr}}}};
  return {{"type", "block"},
          {"request", visit.request},
          {"key", key_json(visit.point, facts)},
          {"algorithm_bytes", facts.algorithm_bytes},
          {"bus_factor", facts.bus_factor},
          {"block", std::move(block)}};
}

}  // namespace busbar
