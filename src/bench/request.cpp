#include "bench/request.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <set>

#include "bench/ranks.h"
#include "collectives/registry.h"
#include "core/error.h"
#include "memory/pattern.h"

namespace busbar {
namespace {

using Json = nlohmann::json;
// A rest is for buckets and caches, not for sleeping through a block's time limit.
constexpr double longest_rest_us = 1e6;

using Keys = std::initializer_list<std::string_view>;

void refuse_unknown(const Json& object, std::string_view where, Keys accepted) {
  if (!object.is_object()) throw UsageError(fmt::format("{} is not a JSON object", where));
  for (const auto& [key, value] : object.items()) {
    if (std::find(accepted.begin(), accepted.end(), key) != accepted.end()) continue;
    throw UsageError(fmt::format("unknown key '{}' in {}; accepted: {}", key, where, fmt::join(accepted, ", ")));
  }
}

/// The value under `key`, or `otherwise` where it is absent or null.
template <class T>
T get(const Json& object, const char* key, T otherwise) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return otherwise;
  try {
    return found->get<T>();
  } catch (const Json::exception&) {
    throw UsageError(fmt::format("'{}' has the value {}, which is of the wrong kind", key, found->dump()));
  }
}

/// As `get`, but a JSON number that is no whole one, or a boolean, is refused rather than rounded.
std::int64_t get_whole(const Json& object, const char* key, std::int64_t otherwise) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return otherwise;
  if (!found->is_number_integer()) {
    throw UsageError(fmt::format("'{}' has the value {}; a whole number is accepted", key, found->dump()));
  }
  return found->get<std::int64_t>();
}

const Json& require(const Json& object, const char* key, std::string_view where) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) throw UsageError(fmt::format("{} lacks '{}'", where, key));
  return *found;
}

Split parse_split(const std::string& word) {
  for (const auto split : {Split::none, Split::node, Split::index}) {
    if (word == name(split)) return split;
  }
  throw UsageError(fmt::format("unknown split '{}'; accepted: none, node, index", word));
}

/// Parts as the request lists them, and their ranks as the group's members.
void read_parts(const Json& list, Group& group) {
  if (!list.is_array() || list.empty()) {
    throw UsageError(
        fmt::format("the parts of group '{}' are not a list of lists of ranks such as \"0-3\"", group.name));
  }
  std::vector<Rank> all;
  for (const Json& part : list) {
    if (!part.is_string()) throw UsageError(fmt::format("part {} of group '{}' is no text", part.dump(), group.name));
    group.parts.push_back(parse_ranks(part.get<std::string>()));
    if (group.parts.back().empty() || group.parts.back().size() != group.parts.front().size()) {
      throw UsageError(fmt::format("the parts of group '{}' are not of one size; accepted: all alike", group.name));
    }
    all.insert(all.end(), group.parts.back().begin(), group.parts.back().end());
  }
  std::sort(all.begin(), all.end());
  const auto twice = std::adjacent_find(all.begin(), all.end());
  if (twice != all.end()) {
    throw UsageError(fmt::format("group '{}' has rank {} in two parts; accepted is one", group.name, twice->value));
  }
  if (!group.members.empty() && group.members != all) {
    throw UsageError(fmt::format("group '{}' has ranks {} and parts of {}; accepted: the same", group.name,
                                 format_ranks(group.members), format_ranks(all)));
  }
  group.members = std::move(all);
}

Group parse_group(const Json& point, const std::vector<std::string>& hosts) {
  const int ranks = static_cast<int>(hosts.size());
  Group group;
  if (const auto found = point.find("group"); found != point.end() && !found->is_null()) {
    refuse_unknown(*found, "point.group", {"name", "ranks", "split", "parts"});
    group.name = get<std::string>(*found, "name", "all");
    group.members = parse_ranks(get<std::string>(*found, "ranks", ""));
    group.split = parse_split(get<std::string>(*found, "split", "none"));
    const auto parts = found->find("parts");
    if (parts != found->end() && !parts->is_null()) read_parts(*parts, group);
  }
  if (group.split != Split::none && !group.parts.empty()) {
    throw UsageError(fmt::format("group '{}' has a split and parts; accepted is one of them", group.name));
  }
  if (group.members.empty()) {
    for (int r = 0; r < ranks; ++r) group.members.emplace_back(r);
  }
  for (const Rank r : group.members) {
    if (r.value >= ranks) {
      throw UsageError(
          fmt::format("group '{}' names rank {}; this launch has ranks 0 to {}", group.name, r.value, ranks - 1));
    }
  }
  if (group.split != Split::none) group.parts = split_members(group.split, group.members, hosts);
  return group;
}

Timing parse_timing(const std::string& word) {
  if (word == name(Timing::isolated)) return Timing::isolated;
  if (word == name(Timing::pipelined)) return Timing::pipelined;
  throw UsageError(fmt::format("unknown timing '{}'; accepted: isolated, pipelined", word));
}

Registration parse_registration(const std::string& word) {
  for (const auto r : {Registration::none, Registration::local, Registration::symmetric}) {
    if (word == name(r)) return r;
  }
  throw UsageError(fmt::format("unknown registration '{}'; accepted: none, local, symmetric", word));
}

void check_size(const PointRequest& p, const Traits& traits, int ranks) {
  if (!traits.has_data) {
    if (p.size != Bytes{0}) {
      throw UsageError(fmt::format("{} carries no data: size {} is not accepted, only 0", traits.name, p.size.value));
    }
    return;
  }
  const Bytes unit = granularity(*p.collective, p.type, ranks);
  if (p.size == Bytes{0} || p.size.value % unit.value != 0) {
    throw UsageError(fmt::format("size {} does not fit {} of {} on {} ranks; accepted: multiples of {} bytes",
                                 p.size.value, traits.name, name(p.type), ranks, unit.value));
  }
}

void check_average(const PointRequest& p, int ranks) {
  const int most = most_averaged_ranks(p.type);
  if (p.redop != RedOp::avg || ranks <= most) return;
  throw UsageError(fmt::format(
      "avg of {} on {} ranks: 1/{} rounds to 0 in that type and so does every result; accepted: at most {} ranks",
      name(p.type), ranks, ranks, most));
}

PointRequest parse_point(const Json& point, const std::vector<std::string>& hosts) {
  refuse_unknown(
      point, "point",
      {"op", "size_bytes", "datatype", "redop", "root", "in_place", "timing", "graph", "registration", "group"});
  PointRequest p;
  require(point, "op", "point");
  require(point, "size_bytes", "point");
  p.collective = &find_collective(get<std::string>(point, "op", ""));
  const Traits traits = p.collective->traits();
  const std::int64_t size = get_whole(point, "size_bytes", 0);
  if (size < 0) throw UsageError(fmt::format("size {} is negative", size));
  p.size = Bytes{static_cast<std::uint64_t>(size)};
  p.type = parse_datatype(get<std::string>(point, "datatype", "float"));
  p.in_place = get<bool>(point, "in_place", false);
  p.timing = parse_timing(get<std::string>(point, "timing", "isolated"));
  p.graph = get<bool>(point, "graph", false);
  p.registration = parse_registration(get<std::string>(point, "registration", "none"));
  p.group = parse_group(point, hosts);
  const int members = p.group.ranks_per_part();

  const auto redop = get<std::string>(point, "redop", "");
  if (traits.reduces) p.redop = parse_redop(redop.empty() ? "sum" : redop);
  if (!traits.reduces && !redop.empty()) {
    throw UsageError(fmt::format("{} does not reduce: redop '{}' is not accepted", traits.name, redop));
  }
  const std::int64_t root = get_whole(point, "root", -1);
  if (traits.rooted) p.root = Rank{static_cast<int>(std::max<std::int64_t>(root, 0))};
  if (!traits.rooted && root >= 0)
    throw UsageError(fmt::format("{} has no root: root {} is not accepted", traits.name, root));
  if (root < -1 || root >= members) {
    throw UsageError(fmt::format("root {} is no rank of a group of {}; accepted: 0 to {}", root, members, members - 1));
  }
  if (p.in_place && !traits.in_place) throw UsageError(fmt::format("{} has no in-place form", traits.name));
  if (members < traits.min_ranks) {
    throw UsageError(fmt::format("{} needs at least {} ranks; group '{}' has {}{}", traits.name, traits.min_ranks,
                                 p.group.name, members, p.group.parts.empty() ? "" : " in each part"));
  }
  check_average(p, members);
  check_size(p, traits, members);
  return p;
}

std::vector<Variant> parse_variants(const Json& visit) {
  const auto found = visit.find("variants");
  if (found == visit.end() || found->is_null()) return {Variant{"default", {}}};
  if (!found->is_array() || found->empty()) throw UsageError("'variants' is not a list with at least one variant");
  std::vector<Variant> variants;
  std::set<std::string> names;
  for (const Json& item : *found) {
    refuse_unknown(item, "a variant", {"name", "settings"});
    Variant v{get<std::string>(item, "name", ""), {}};
    if (v.name.empty()) throw UsageError("a variant has no name");
    if (!names.insert(v.name).second) throw UsageError(fmt::format("two variants are called '{}'", v.name));
    v.settings = get<Settings>(item, "settings", {});
    variants.push_back(std::move(v));
  }
  return variants;
}

StoppingLimits parse_stopping(const Json& visit) {
  StoppingLimits limits;
  const auto found = visit.find("stopping");
  if (found == visit.end() || found->is_null()) return limits;
  refuse_unknown(*found, "stopping", {"relative_ci", "min_samples", "max_samples", "max_seconds"});
  limits.relative_ci = get(*found, "relative_ci", limits.relative_ci);
  limits.min_samples = static_cast<decltype(limits.min_samples)>(
      get_whole(*found, "min_samples", static_cast<std::int64_t>(limits.min_samples)));
  limits.max_samples = static_cast<decltype(limits.max_samples)>(
      get_whole(*found, "max_samples", static_cast<std::int64_t>(limits.max_samples)));
  limits.max_seconds = get(*found, "max_seconds", limits.max_seconds);
  return limits;
}

Warmup parse_warmup(const Json& visit) {
  Warmup warmup;
  const auto found = visit.find("warmup");
  if (found == visit.end() || found->is_null()) return warmup;
  refuse_unknown(*found, "warmup", {"min_samples", "min_seconds"});
  warmup.min_samples = static_cast<int>(get_whole(*found, "min_samples", warmup.min_samples));
  warmup.min_seconds = get(*found, "min_seconds", warmup.min_seconds);
  if (warmup.min_samples < 0 || warmup.min_seconds < 0) throw UsageError("warmup takes no negative values");
  return warmup;
}

}  // namespace

std::string_view name(Timing timing) { return timing == Timing::isolated ? "isolated" : "pipelined"; }

Bytes granularity(const Collective& collective, DataType type, int ranks) {
  const Traits traits = collective.traits();
  const std::size_t parts = traits.chunked ? static_cast<std::size_t>(ranks) : 1;
  return Bytes{size_of(type) * parts};
}

Line parse_request(std::string_view text, const std::vector<std::string>& hosts,
                   std::optional<std::int64_t>& request_id) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded() || !json.is_object()) {
    throw UsageError(fmt::format("a request is not a JSON object: '{}'", text.substr(0, 60)));
  }
  const auto type = get<std::string>(json, "type", "");
  if (type == "quit") return Line{.quit = true, .visit = {}};
  if (type != "visit") throw UsageError(fmt::format("unknown request type '{}'; accepted: visit, quit", type));
  refuse_unknown(json, "a visit",
                 {"type", "request", "round", "seed", "point", "variants", "stopping", "warmup", "rest_us",
                  "deadline_seconds", "payload"});
  require(json, "request", "a visit");
  request_id = get_whole(json, "request", 0);

  Line line;
  VisitRequest& v = line.visit;
  v.request = *request_id;
  v.round = static_cast<int>(get_whole(json, "round", 0));
  v.seed = static_cast<std::uint64_t>(get_whole(json, "seed", 1));
  v.point = parse_point(require(json, "point", "a visit"), hosts);
  v.variants = parse_variants(json);
  v.stopping = parse_stopping(json);
  v.stopping.validate();
  v.warmup = parse_warmup(json);
  v.rest_us = get(json, "rest_us", v.rest_us);
  if (!(v.rest_us >= 0 && v.rest_us <= longest_rest_us)) {
    throw UsageError(fmt::format("'rest_us' has the value {}; accepted: 0 to {}", v.rest_us, longest_rest_us));
  }
  v.deadline_seconds = get(json, "deadline_seconds", v.deadline_seconds);
  if (!(v.deadline_seconds > 0)) throw UsageError("'deadline_seconds' must be more than 0");
  v.payload = get<bool>(json, "payload", true);
  return line;
}

}  // namespace busbar
