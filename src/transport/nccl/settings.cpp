#include "transport/nccl/settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <sstream>
#include <utility>
#include <vector>

#include "core/error.h"
#include "observe/environment.h"

namespace busbar::nccl {
namespace {

constexpr int most_channels = 64;  // MAXCHANNELS of NCCL 2.18 to 2.30; more is cut to it without an error

template <class Value, std::size_t N>
using Words = std::array<std::pair<std::string_view, Value>, N>;

constexpr Words<bool, 2> schedules{{{"native", false}, {"portable", true}}};
constexpr Words<InNetwork, 4> in_networks{
    {{"off", InNetwork::off}, {"nvls", InNetwork::nvls}, {"collnet", InNetwork::collnet}, {"sharp", InNetwork::sharp}}};
// NCCL_CTA_POLICY_DEFAULT, _EFFICIENCY and _ZERO, which older headers lack.
constexpr Words<int, 3> cta_policies{{{"default", 0}, {"efficiency", 1}, {"zero", 2}}};
constexpr std::array<std::string_view, 7> algorithms{"ring",      "tree", "collnet_direct", "collnet_chain", "nvls",
                                                     "nvls_tree", "pat"};
constexpr std::array<std::string_view, 3> protocols{"ll", "ll128", "simple"};

UsageError unknown(std::string_view key, std::string_view value, const std::string& accepted) {
  return UsageError(fmt::format("variant setting {}='{}' is unknown; accepted: {}", key, value, accepted));
}

template <class Value, std::size_t N>
Value value_of(std::string_view key, const std::string& word, const Words<Value, N>& words) {
  std::vector<std::string_view> accepted;
  for (const auto& [name, value] : words) {
    if (name == word) return value;
    accepted.push_back(name);
  }
  throw unknown(key, word, fmt::format("{}", fmt::join(accepted, ", ")));
}

template <std::size_t N>
const std::string& one_of(std::string_view key, const std::string& word, const std::array<std::string_view, N>& words) {
  if (std::find(words.begin(), words.end(), word) != words.end()) return word;
  throw unknown(key, word, fmt::format("{}", fmt::join(words, ", ")));
}

int channels_of(const std::string& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  if (whole && value >= 1 && value <= most_channels) return value;
  throw unknown("channels", text, fmt::format("1 to {}", most_channels));
}

}  // namespace

VariantSettings VariantSettings::parse(const Settings& settings) {
  VariantSettings v;
  for (const auto& [key, value] : settings) {
    if (key == "schedule") {
      v.portable = value_of(key, value, schedules);
    } else if (key == "in_network") {
      v.in_network = value_of(key, value, in_networks);
    } else if (key == "algorithm") {
      v.algorithm = one_of(key, value, algorithms);
    } else if (key == "protocol") {
      v.protocol = one_of(key, value, protocols);
    } else if (key == "channels") {
      v.channels = channels_of(value);
    } else if (key == "cta_policy") {
      v.cta_policy = value_of(key, value, cta_policies);
    } else {
      throw UsageError(fmt::format(
          "unknown variant key '{}' of transport nccl; accepted: schedule, in_network, algorithm, protocol, channels, "
          "cta_policy, or (through 'busbar run') an environment variable NCCL_*, SHARP_*",
          key));
    }
  }
  return v;
}

std::optional<std::string> variable_as_nccl_sees_it(const std::string& name) {
  if (const char* const value = std::getenv(name.c_str())) return value;
  const std::string prefix = name + '=';
  for (const ConfFile& file : nccl_conf_files(environ)) {
    std::istringstream lines(file.text);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(prefix)) return line.substr(prefix.size());
    }
  }
  return std::nullopt;
}

ncclConfig_t config_of(const VariantSettings& settings, [[maybe_unused]] int version) {
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  if (settings.channels) {
    config.minCTAs = *settings.channels;
    config.maxCTAs = *settings.channels;
  }
#if NCCL_VERSION_CODE >= NCCL_VERSION(2, 27, 0)
  // An older library would not look at these fields.
  if (version < NCCL_VERSION(2, 27, 0)) return config;
  if (settings.in_network != InNetwork::unset) config.collnetEnable = settings.wants_collnet() ? 1 : 0;
  if (settings.cta_policy) config.CTAPolicy = *settings.cta_policy;
#endif
  return config;
}

std::string table_of(const VariantSettings& settings) {
  std::string table;
  // NCCL tunes these five; a row for one that lacks the algorithm is passed over.
  for (const std::string_view function : {"allreduce", "allgather", "reducescatter", "broadcast", "reduce"}) {
    table += fmt::format("{},0,-1,{},{},{},-1,-1\n", function, settings.algorithm.value(), settings.protocol.value(),
                         settings.channels.value_or(-1));
  }
  return table;
}

}  // namespace busbar::nccl
