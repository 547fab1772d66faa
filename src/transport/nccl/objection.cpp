// What of a variant's settings cannot be had. NCCL itself says nothing about most of it: a variable that beats a
// configuration, a field that an older library does not read and a value that was read once before are all ignored in
// silence, and the figures would belong to another variant.
#include <fmt/format.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "transport/nccl/settings.h"

namespace busbar::nccl {
namespace {

using Reason = std::optional<std::string>;

constexpr int with_config_fields = NCCL_VERSION(2, 27, 0);  // collnetEnable, CTAPolicy
constexpr int with_cta_policy_zero = NCCL_VERSION(2, 28, 0);

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  for (const std::string_view w : words) {
    if (w == word) return true;
  }
  return false;
}

/// The operations whose native call is one of NCCL's five tuned functions; a barrier is an all_reduce.
bool is_tuned(std::string_view operation) {
  return is_one_of(operation, {"all_reduce", "barrier", "all_gather", "reduce_scatter", "broadcast", "reduce"});
}

/// Those that switches can reduce or multiply for, NVLink's or the fabric's.
bool has_network_algorithms(std::string_view operation) {
  return is_one_of(operation, {"all_reduce", "barrier", "all_gather", "reduce_scatter"});
}

/// Source: NCCL 2.28.9, src/graph/tuning.cc, which combinations the model knows.
bool exists(std::string_view algorithm, std::string_view operation) {
  if (algorithm == "ring") return is_tuned(operation);
  if (is_one_of(algorithm, {"tree", "collnet_chain", "nvls_tree"})) {
    return is_one_of(operation, {"all_reduce", "barrier"});
  }
  if (algorithm == "pat") return is_one_of(operation, {"all_gather", "reduce_scatter"});
  return has_network_algorithms(operation);
}

bool is_collnet(std::string_view algorithm) { return algorithm.starts_with("collnet"); }
bool is_nvls(std::string_view algorithm) { return algorithm.starts_with("nvls"); }

Reason schedule_objection(const VariantSettings& v, const Traits& collective) {
  if (!v.portable) return std::nullopt;
  if (collective.reduces) {
    return fmt::format(
        "schedule=portable of {} reduces between messages, and this transport reduces by NCCL alone; "
        "accepted is schedule=native",
        collective.name);
  }
  if (v.algorithm || v.protocol || (v.in_network != InNetwork::unset && v.in_network != InNetwork::off)) {
    return "schedule=portable is made of sends and receives, on which in_network, algorithm and protocol have no "
           "effect; accepted is one without the other";
  }
  return std::nullopt;
}

/// A variable that beats what a configuration or a table says.
Reason overridden(std::string_view key, std::initializer_list<const char*> variables, const Surroundings& here) {
  for (const char* const variable : variables) {
    if (const auto value = here.variable(variable)) {
      return fmt::format("{}={} is set at launch and beats the variant setting {}; accepted is a launch without it",
                         variable, *value, key);
    }
  }
  return std::nullopt;
}

Reason tuning_objection(const VariantSettings& v, const Traits& collective, const Surroundings& here) {
  if (!v.algorithm && !v.protocol) return std::nullopt;
  if (!v.algorithm || !v.protocol) {
    return "the variant settings algorithm and protocol are one decision of NCCL's; accepted are both or none";
  }
  if (!is_tuned(collective.name)) {
    return fmt::format(
        "{} is made of sends and receives, on which algorithm and protocol have no effect; accepted is "
        "neither",
        collective.name);
  }
  if (!exists(*v.algorithm, collective.name)) {
    return fmt::format("NCCL has no algorithm {} for {}; accepted are others, such as ring", *v.algorithm,
                       collective.name);
  }
  if ((is_collnet(*v.algorithm) || is_nvls(*v.algorithm)) && *v.protocol != "simple") {
    return fmt::format("NCCL has algorithm {} with protocol simple alone; accepted is protocol=simple", *v.algorithm);
  }
  if (is_collnet(*v.algorithm) && !v.wants_collnet()) {
    return fmt::format("algorithm={} needs in_network=collnet or sharp; accepted are both together", *v.algorithm);
  }
  if (is_nvls(*v.algorithm) && v.in_network == InNetwork::off) {
    return fmt::format("algorithm={} reduces in the network and in_network=off forbids it; accepted is one of them",
                       *v.algorithm);
  }
  if (!here.tuner) {
    return "the variant settings algorithm and protocol go through Busbar's tuner plugin; accepted is a launch with "
           "NCCL_TUNER_PLUGIN naming libnccl-tuner-busbar.so";
  }
  return overridden("algorithm", {"NCCL_ALGO", "NCCL_PROTO"}, here);
}

Reason nvls_must_be(std::string_view value, std::string_view in_network, std::string_view why,
                    const Surroundings& here) {
  if (here.variable("NCCL_NVLS_ENABLE") == value) return std::nullopt;
  return fmt::format(
      "in_network={} {} and NCCL reads NCCL_NVLS_ENABLE once per process; accepted is a launch with "
      "NCCL_NVLS_ENABLE={}",
      in_network, why, value);
}

/// Whether the communicator will have CollNet as `wanted`.
Reason collnet_must_be(bool wanted, std::string_view in_network, const Surroundings& here) {
  const auto set = here.variable("NCCL_COLLNET_ENABLE");
  const bool by_configuration = here.version >= with_config_fields && !set;
  const bool as_wanted = wanted ? set == "1" : (!set || set == "0");
  if (by_configuration || as_wanted) return std::nullopt;
  if (set) {
    return fmt::format(
        "NCCL_COLLNET_ENABLE={} is set at launch and beats in_network={}; accepted is a launch without "
        "it",
        *set, in_network);
  }
  return fmt::format(
      "in_network={} is a communicator's own setting from NCCL 2.27 on; accepted before is a launch with "
      "NCCL_COLLNET_ENABLE=1",
      in_network);
}

Reason sharp_objection(const Surroundings& here) {
  if (here.variable("NCCL_NET_PLUGIN") == "none") {
    return "in_network=sharp needs a network plugin with CollNet and NCCL_NET_PLUGIN=none forbids all; accepted is a "
           "launch without it";
  }
  for (const char* const variable : {"NCCL_SHARP_DISABLE", "NCCL_IBEXT_DISABLE"}) {
    if (here.variable(variable).value_or("0") != "0") {
      return fmt::format("in_network=sharp is switched off by {}; accepted is a launch without it", variable);
    }
  }
  if (!here.sharp_library) {
    return "in_network=sharp needs libsharp_coll.so and it cannot be loaded here; accepted is a SHARP installation on "
           "LD_LIBRARY_PATH";
  }
  return std::nullopt;
}

Reason in_network_objection(const VariantSettings& v, const Traits& collective, const Surroundings& here) {
  if (v.in_network == InNetwork::unset) return std::nullopt;
  const bool concerned = has_network_algorithms(collective.name);
  if (v.in_network == InNetwork::off) {
    if (auto why = collnet_must_be(false, "off", here)) return why;
    // A table that pins an algorithm outside NVLink's switches keeps NVLS out as well; objections to others came
    // before.
    if (!concerned || v.algorithm || v.portable) return std::nullopt;
    return nvls_must_be("0", "off", "must keep NVLink's switches out", here);
  }
  if (!concerned) {
    return fmt::format(
        "reduction in the network has nothing to do for {}; accepted: all_reduce, all_gather, "
        "reduce_scatter, barrier",
        collective.name);
  }
  if (v.in_network == InNetwork::nvls) {
    if (auto why = collnet_must_be(false, "nvls", here)) return why;
    // Its default, 2, falls back in silence where NVLS cannot be set up.
    return nvls_must_be("1", "nvls", "must insist on NVLink's switches", here);
  }
  const bool sharp = v.in_network == InNetwork::sharp;
  if (auto why = collnet_must_be(true, sharp ? "sharp" : "collnet", here)) return why;
  return sharp ? sharp_objection(here) : std::nullopt;
}

Reason cta_objection(const VariantSettings& v, const Surroundings& here) {
  if (v.channels) {
    auto why =
        overridden("channels", {"NCCL_MIN_CTAS", "NCCL_MAX_CTAS", "NCCL_MIN_NCHANNELS", "NCCL_MAX_NCHANNELS"}, here);
    if (why) return why;
  }
  if (!v.cta_policy) return std::nullopt;
  if (here.version < with_config_fields) {
    return "the variant setting cta_policy needs NCCL 2.27 or newer, in the build and at run time; accepted is none";
  }
  if (*v.cta_policy == 2 && here.version < with_cta_policy_zero) {
    return "cta_policy=zero needs NCCL 2.28 or newer, in the build and at run time; accepted: default, efficiency";
  }
  return overridden("cta_policy", {"NCCL_CTA_POLICY"}, here);
}

}  // namespace

Reason objection(const VariantSettings& settings, const Traits& collective, const Surroundings& here) {
  if (auto why = schedule_objection(settings, collective)) return why;
  if (auto why = tuning_objection(settings, collective, here)) return why;
  if (auto why = in_network_objection(settings, collective, here)) return why;
  return cta_objection(settings, here);
}

}  // namespace busbar::nccl
