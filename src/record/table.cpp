#include "record/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/datatype.h"
#include "core/units.h"
#include "measure/histogram.h"
#include "measure/statistics.h"

namespace busbar {
namespace {

using Json = nlohmann::json;

/// Five characters or so, whatever the magnitude; a missing figure is a dash, never 0.
std::string figure(std::optional<double> value) {
  if (!value || !std::isfinite(*value)) return "-";
  if (*value == 0) return "0";
  const int before_point = static_cast<int>(std::floor(std::log10(std::abs(*value)))) + 1;
  const int decimals = std::clamp(4 - before_point, 0, 6);
  return fmt::format("{:.{}f}", *value, decimals);
}

std::string text_or_dash(const Json& value) {
  if (value.is_null()) return "-";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

void print_launch(std::FILE* out, const Json& launch) {
  const Json& processes = launch.at("processes");
  std::set<std::string> hosts;
  std::size_t ranks = 0;
  for (const Json& p : processes) {
    if (p.at("role") != name(Role::worker)) continue;
    hosts.insert(p.at("host").get<std::string>());
    ++ranks;
  }
  const Json& versions = launch.at("system").at("versions");
  fmt::print(out, "# busbar-bench {} on {} ranks, {} hosts, {}\n", versions.at("busbar").get<std::string>(), ranks,
             hosts.size(), versions.at(launch.at("transport").get<std::string>()).get<std::string>());
  for (const Json& p : processes) {
    const bool works = p.at("role") == name(Role::worker);
    fmt::print(out, "#   {} {:>3}  {}  pid {}  cpus {}\n", works ? "rank" : "aggregator", p.at("rank").get<int>(),
               p.at("host").get<std::string>(), p.at("pid").get<int>(), p.at("cpus").get<std::string>());
  }
}

void print_header(std::FILE* out, const Json& key) {
  fmt::print(out, "#\n# {} over {}, {}, ranks {} ({}); times in us, bandwidth in GB/s = 1e9 bytes/s\n",
             key.at("op").get<std::string>(), key.at("transport").get<std::string>(),
             key.at("timing").get<std::string>(), key.at("group").at("ranks").get<std::string>(),
             key.at("group").at("name").get<std::string>());
  fmt::print(out, "#{:>12} {:>12} {:>11} {:>9} {:>4} {:>8} {:<10} {:>9} {:>6} {:>9} {:>8} {:>8} {:>7} {:>7} {}\n",
             "size", "count", "type", "redop", "root", "in place", "variant", "time", "+-%", "p99", "algbw", "busbw",
             "#wrong", "samples", "shape", "notes");
}

/// The samples' distribution from the fastest to the slowest, on a logarithmic axis, as a row of bars.
std::string shape(const std::vector<double>& samples_us) {
  constexpr std::array bars{"\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587", "\u2588"};
  Histogram histogram;
  for (const double us : samples_us) histogram.add(std::chrono::duration_cast<Nanoseconds>(Microseconds{us}));
  const auto counts = histogram.shape(bars.size());
  const auto most = std::max<std::uint64_t>(1, *std::max_element(counts.begin(), counts.end()));
  std::string text;
  for (const std::uint64_t count : counts) text += count == 0 ? " " : bars[(count * (bars.size() - 1)) / most];
  return text;
}

std::string notes(const Json& block) {
  std::string text;
  if (const auto spoiled = block.at("spoiled_samples").size(); spoiled > 0) {
    text += fmt::format("{} spoiled by drops, errors or retransmits; ", spoiled);
  }
  std::size_t late = 0;
  for (const Json& rank : block.at("late_rank")) late += rank.is_null() ? 0 : 1;
  if (2 * late > block.at("late_rank").size()) text += "most starts late; ";
  if (block.at("stop_reason") != "relative_ci") text += "stopped by " + block.at("stop_reason").get<std::string>();
  return text;
}

void print_block(std::FILE* out, const Json& answer) {
  const Json& key = answer.at("key");
  const Json& block = answer.at("block");
  auto samples = block.at("samples_us").get<std::vector<double>>();
  const MedianEstimate estimate = estimate_median(samples);
  const auto width = estimate.relative_half_width();
  const auto size = key.at("size_bytes").get<std::uint64_t>();
  const double bytes = answer.at("algorithm_bytes").get<double>();
  const bool moves = bytes > 0 && estimate.median > 0;
  const std::optional<double> algbw = moves ? std::optional{bytes / estimate.median / 1000} : std::nullopt;
  const std::optional<double> busbw =
      moves ? std::optional{*algbw * answer.at("bus_factor").get<double>()} : std::nullopt;
  const auto count = size / size_of(parse_datatype(key.at("datatype").get<std::string>()));
  fmt::print(out, " {:>12} {:>12} {:>11} {:>9} {:>4} {:>8} {:<10} {:>9} {:>6} {:>9} {:>8} {:>8} {:>7} {:>7} {:<8} {}\n",
             size, count, key.at("datatype").get<std::string>(), text_or_dash(key.at("redop")),
             text_or_dash(key.at("root")), key.at("in_place").get<bool>() ? "yes" : "no",
             key.at("variant").get<std::string>(), figure(estimate.median),
             width ? fmt::format("{:.1f}", *width * 100) : "-", figure(percentile(samples, p99)), figure(algbw),
             figure(busbw), text_or_dash(block.at("wrong_elements")), samples.size(), shape(samples), notes(block));
}

}  // namespace

void Table::take(const Json& answer) {
  const auto type = answer.at("type").get<std::string>();
  if (type == "launch") print_launch(out_, answer);
  if (type == "error") fmt::print(out_, "# refused: {}\n", answer.at("message").get<std::string>());
  if (type == "block") {
    const Json& key = answer.at("key");
    const auto title = key.at("op").get<std::string>() + key.at("timing").get<std::string>() + key.at("group").dump();
    if (title != header_of_) print_header(out_, key);
    header_of_ = title;
    print_block(out_, answer);
  }
  std::fflush(out_);
}

}  // namespace busbar
