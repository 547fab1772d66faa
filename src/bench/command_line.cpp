#include "bench/command_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>

#include "bench/ranks.h"
#include "collectives/registry.h"
#include "core/datatype.h"
#include "core/error.h"

namespace busbar {
namespace {

using Json = nlohmann::json;

// Fewer carry no interval worth the name; the interval of the median needs six.
constexpr int usual_min_samples = 10;

constexpr auto footer = R"(Examples:
  mpirun -np 4 busbar-bench all_reduce -b 8 -e 16M
  mpirun -np 4 busbar-bench all_reduce broadcast -d float,half -o sum,max --in-place both --journal night.journal.jsonl
  mpirun -np 4 --mca coll_tuned_use_dynamic_rules 1 busbar-bench all_reduce \
      --variant default: --variant ring:coll_tuned_allreduce_algorithm=4

Sizes take K, M, G (powers of 1024). Time is the median from an agreed start to the slowest rank's finish; +-% is half its
95 % interval within this launch. For intervals over several launches, theory and a report use 'busbar run'.
Exit codes: 0 done, 1 wrong data, 2 bad usage, 3 incomplete, 4 hang.)";

std::vector<std::string> operation_names() {
  std::vector<std::string> names;
  for (const Collective* c : all_collectives()) names.emplace_back(c->traits().name);
  return names;
}

template <class T>
std::vector<std::string_view> names_of(std::span<const T> all) {
  std::vector<std::string_view> names;
  for (const T one : all) names.push_back(name(one));
  return names;
}

void add_sweep_options(CLI::App& app, CommandLine& line, std::vector<std::string>& sizes) {
  app.add_option("operations", line.operations, fmt::format("what to measure: {}", fmt::join(operation_names(), " ")));
  app.add_option("-b,--min-bytes", sizes[0], "smallest size [8]");
  app.add_option("-e,--max-bytes", sizes[1], "largest size [1M]");
  app.add_option("-f,--factor", line.factor, "from one size to the next, multiply by this [2]");
  app.add_option("-i,--step-bytes", sizes[2], "from one size to the next, add this instead");
  app.add_option("-d,--datatype", line.datatypes, fmt::format("{} [float]", fmt::join(names_of(all_datatypes()), " ")))
      ->delimiter(',');
  app.add_option("-o,--redop", line.redops, fmt::format("{} [sum]", fmt::join(names_of(all_redops()), " ")))
      ->delimiter(',');
  app.add_option("-r,--root", line.root, "root rank of operations that have one [0]");
  app.add_option("--in-place", line.placement, "out, in or both [out]");
  app.add_option("--timing", line.timing,
                 "isolated (synchronised start, one execution) or pipelined (back to back) [isolated]");
  app.add_flag("--graph", line.graph, "GPU: capture the operation in a graph and launch that");
  app.add_option("--registration", line.registration, "GPU: buffers none, local or symmetric [none]");
  app.add_option("--variant", line.variants,
                 "NAME:KEY=VALUE,... a named set of settings, measured interleaved with the others; repeatable");
  app.add_option("--ranks", line.group, "only these ranks, such as 0-3,8 [all]");
  app.add_option("--split", line.split,
                 "communicators side by side: none, node (one per host), index (one per index of ranks on their hosts, "
                 "as rails) [none]");
  app.add_option("--relative-ci", line.relative_ci,
                 "stop when half the median's 95 % interval is at most this share [0.02]");
  app.add_option("--min-samples", line.min_samples,
                 "but not before so many samples [10, or --max-samples where that is less]");
  app.add_option("-n,--max-samples", line.max_samples, "and not after so many samples [1000]");
  app.add_option("--max-seconds", line.max_seconds, "nor after so many seconds a block [1.0]");
  app.add_option("--deadline", line.deadline_seconds, "an operation that takes longer, in seconds, is a hang [60]");
  app.add_option("--seed", line.seed, "of the data and of the variants' order [1]");
}

void check_sweep(const CommandLine& line) {
  if (line.operations.empty()) {
    throw UsageError(fmt::format("no operation given; accepted: {}", fmt::join(operation_names(), ", ")));
  }
  for (const auto& op : line.operations) find_collective(op);
  for (const auto& d : line.datatypes) parse_datatype(d);
  for (const auto& r : line.redops) parse_redop(r);
  for (const auto& v : line.variants) variant_json(v);
  if (line.min_bytes > line.max_bytes) {
    throw UsageError(fmt::format("smallest size {} is larger than largest size {}", line.min_bytes, line.max_bytes));
  }
  if (line.step_bytes == 0 && line.factor < 2)
    throw UsageError(fmt::format("factor {} makes no sweep; at least 2", line.factor));
  if (line.placement != "out" && line.placement != "in" && line.placement != "both") {
    throw UsageError(fmt::format("unknown placement '{}'; accepted: out, in, both", line.placement));
  }
}

void check_threads(const Wanted& wanted, std::string_view role) {
  if (wanted.threads < 1) throw UsageError(fmt::format("--threads {}: accepted is 1 or more", wanted.threads));
  if (wanted.threads > 1 && (wanted.transport != "nccl" || role != "worker")) {
    throw UsageError(
        fmt::format("--threads {} belongs to workers of transport nccl, not to the {} of transport {}; accepted is 1",
                    wanted.threads, role, wanted.transport));
  }
}

std::vector<std::uint64_t> sizes_of(const CommandLine& line, const Collective& collective, DataType type, int ranks) {
  const Traits traits = collective.traits();
  if (!traits.has_data) return {0};
  const std::uint64_t unit = size_of(type) * (traits.chunked ? static_cast<std::uint64_t>(ranks) : 1);
  std::vector<std::uint64_t> sizes;
  for (std::uint64_t size = line.min_bytes; size <= line.max_bytes;) {
    const std::uint64_t raised = std::max<std::uint64_t>(1, (size + unit - 1) / unit) * unit;
    if (sizes.empty() || sizes.back() != raised) sizes.push_back(raised);
    size = line.step_bytes > 0 ? size + line.step_bytes : std::max<std::uint64_t>(size, 1) * line.factor;
  }
  return sizes;
}

std::vector<bool> placements(const CommandLine& line, const Traits& traits) {
  if (line.placement == "out" || !traits.in_place) return {false};
  return line.placement == "in" ? std::vector<bool>{true} : std::vector<bool>{false, true};
}

Json base_request(const CommandLine& line) {
  Json variants = Json::array();
  for (const auto& text : line.variants) variants.push_back(Json::parse(variant_json(text)));
  if (variants.empty()) variants.push_back({{"name", "default"}, {"settings", Json::object()}});
  return {{"type", "visit"},
          {"seed", line.seed},
          {"variants", variants},
          {"stopping",
           {{"relative_ci", line.relative_ci},
            {"min_samples", line.min_samples > 0 ? line.min_samples : std::min(usual_min_samples, line.max_samples)},
            {"max_samples", line.max_samples},
            {"max_seconds", line.max_seconds}}},
          {"deadline_seconds", line.deadline_seconds}};
}

}  // namespace

std::uint64_t parse_size(const std::string& text) {
  std::uint64_t number = 0;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [rest, error] = std::from_chars(begin, end, number);
  const std::string unit(rest, end);
  int shift = -1;
  if (unit.empty() || unit == "B") shift = 0;
  if (unit == "K" || unit == "k") shift = 10;
  if (unit == "M" || unit == "m") shift = 20;
  if (unit == "G" || unit == "g") shift = 30;
  if (error != std::errc{} || shift < 0 || number > (std::numeric_limits<std::uint64_t>::max() >> shift)) {
    throw UsageError(
        fmt::format("'{}' is no size; accepted: a whole number of bytes, with K, M or G for powers of 1024", text));
  }
  return number << shift;
}

std::string variant_json(const std::string& text) {
  const auto colon = text.find(':');
  Json variant{{"name", text.substr(0, colon)}, {"settings", Json::object()}};
  std::string_view rest = colon == std::string::npos ? std::string_view{} : std::string_view{text}.substr(colon + 1);
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const std::string_view pair = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      throw UsageError(
          fmt::format("'{}' in variant '{}' is no KEY=VALUE; accepted: NAME:KEY=VALUE,KEY=VALUE", pair, text));
    }
    variant["settings"][std::string{pair.substr(0, equals)}] = std::string{pair.substr(equals + 1)};
  }
  return variant.dump();
}

std::vector<std::string> sweep_requests(const CommandLine& line, int ranks) {
  std::vector<std::string> lines;
  Json request = base_request(line);
  const int members = line.group.empty() ? ranks : static_cast<int>(parse_ranks(line.group).size());
  for (const auto& op : line.operations) {
    const Collective& collective = find_collective(op);
    const Traits traits = collective.traits();
    const std::vector<std::string> redops = traits.reduces ? line.redops : std::vector<std::string>{""};
    for (const auto& type : line.datatypes) {
      for (const auto& redop : redops) {
        for (const bool in_place : placements(line, traits)) {
          for (const std::uint64_t size : sizes_of(line, collective, parse_datatype(type), members)) {
            request["request"] = lines.size();
            request["point"] = {{"op", op},
                                {"size_bytes", size},
                                {"datatype", type},
                                {"redop", redop.empty() ? Json() : Json(redop)},
                                {"root", traits.rooted ? Json(line.root) : Json()},
                                {"in_place", in_place},
                                {"timing", line.timing},
                                {"graph", line.graph},
                                {"registration", line.registration}};
            request["point"]["group"] = {
                {"name", line.group.empty() ? "all" : "chosen"}, {"ranks", line.group}, {"split", line.split}};
            lines.push_back(request.dump());
          }
        }
      }
    }
  }
  return lines;
}

std::string describe(int ranks) {
  Json operations = Json::array();
  for (const Collective* c : all_collectives()) {
    const Traits t = c->traits();
    operations.push_back({{"name", t.name},
                          {"summary", t.summary},
                          {"reduces", t.reduces},
                          {"rooted", t.rooted},
                          {"in_place", t.in_place},
                          {"chunked", t.chunked},
                          {"has_data", t.has_data},
                          {"point_to_point", t.point_to_point},
                          {"in_network", t.tree != TreeFlow::none},
                          {"min_ranks", t.min_ranks},
                          {"bus_factor", t.has_data && ranks >= t.min_ranks ? Json(c->bus_factor(ranks)) : Json()}});
  }
  Json datatypes = Json::array();
  for (const DataType type : all_datatypes()) datatypes.push_back({{"name", name(type)}, {"bytes", size_of(type)}});
  Json redops = Json::array();
  for (const RedOp redop : all_redops()) redops.push_back(name(redop));
  return Json{{"protocol", 1},
              {"busbar", BUSBAR_VERSION},
              {"ranks", ranks},
              {"operations", operations},
              {"datatypes", datatypes},
              {"redops", redops},
              {"transports", transports()}}
      .dump(2);
}

std::optional<CommandLine> parse_command_line(int argc, const char* const* argv, bool loud) {
  CommandLine line;
  std::vector<std::string> sizes{"8", "1M", "0"};
  bool serve = false;
  bool describe = false;
  std::string role = "worker";
  CLI::App app{"busbar-bench: measures collective operations between MPI processes; start it with mpirun or srun.",
               "busbar-bench"};
  app.footer(footer);
  app.set_version_flag("--version", std::string{"busbar-bench "} + BUSBAR_VERSION);
  add_sweep_options(app, line, sizes);
  auto* const serve_flag =
      app.add_flag("--serve", serve, "take requests from standard input, answer in JSON lines on standard output");
  auto* const plan_option =
      app.add_option("--plan", line.plan_file, "take requests from this file, one JSON object a line");
  app.add_option("--journal", line.journal_file, "also write the answers to this new file, one JSON object a line");
  app.add_option("--init-deadline", line.init_deadline_seconds,
                 "an initialisation that takes longer, in seconds, is a hang [120]");
  app.add_flag("--describe", describe, "print the operations' metadata as JSON and end");
  app.add_option("--describe-ranks", line.describe_ranks,
                 "number of ranks that --describe computes bus factors for [4]");
  app.add_option("--transport", line.wanted.transport,
                 fmt::format("the library that carries operations: {} [mpi]", fmt::join(transports(), ", ")));
  app.add_option("--threads", line.wanted.threads,
                 "transport nccl: GPUs of each process, every one a rank on a thread of its own [1]");
  app.add_option("--role", role,
                 "worker, or aggregator: takes no part in operations but reduces for variants with in_network=tree; "
                 "aggregators come after all workers [worker]");
  app.add_option("--tree", line.wanted.trees,
                 "for workers: CHILD=PARENT,... by host, who hangs on which aggregator; repeatable, one per tree "
                 "[every aggregator a tree of its own]");
  serve_flag->excludes(plan_option);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wanted) {
    if (loud) app.exit(wanted);
    return std::nullopt;
  } catch (const CLI::ParseError& problem) {
    throw UsageError(fmt::format("{} (busbar-bench --help lists what is accepted)", problem.what()));
  }
  line.min_bytes = parse_size(sizes[0]);
  line.max_bytes = parse_size(sizes[1]);
  line.step_bytes = parse_size(sizes[2]);
  if (role != "worker" && role != "aggregator") {
    throw UsageError(fmt::format("unknown role '{}'; accepted: worker, aggregator", role));
  }
  check_threads(line.wanted, role);
  line.mode = role == "aggregator"      ? Mode::aggregate
              : describe                ? Mode::describe
              : serve                   ? Mode::serve
              : !line.plan_file.empty() ? Mode::plan
                                        : Mode::sweep;
  if (line.mode == Mode::sweep) check_sweep(line);
  if (line.mode == Mode::describe && line.describe_ranks < 1)
    throw UsageError("--describe-ranks needs at least 1 rank");
  return line;
}

}  // namespace busbar
