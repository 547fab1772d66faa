// A variant's settings for NCCL: what they mean, which a communicator's configuration can carry, and which NCCL reads
// only once per process, so that the launcher must set a variable.
#pragma once

#include <nccl.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "transport/transport.h"

namespace busbar::nccl {

/// Who may reduce on the way. `unset` leaves it to NCCL; the others only allow: what runs is NCCL's choice by cost,
/// unless `algorithm` makes it.
enum class InNetwork : std::uint8_t { unset, off, nvls, collnet, sharp };

struct VariantSettings {
  bool portable = false;
  InNetwork in_network = InNetwork::unset;
  std::optional<std::string> algorithm;  ///< a word of the tuner's table, as is the next
  std::optional<std::string> protocol;
  std::optional<int> channels;
  std::optional<int> cta_policy;  ///< NCCL_CTA_POLICY_*

  /// @throws UsageError naming the first key or value that is unknown, and what is accepted.
  static VariantSettings parse(const Settings& settings);

  /// Whether the communicator is asked to set up CollNet.
  bool wants_collnet() const { return in_network == InNetwork::collnet || in_network == InNetwork::sharp; }
};

/// What the process and its libraries are like, as far as settings ask.
struct Surroundings {
  /// The version that header and library both have, as NCCL_VERSION_CODE.
  int version = 0;
  /// Whether the tuner plugin that NCCL will load takes tables from this process.
  bool tuner = false;
  bool sharp_library = false;  ///< libsharp_coll.so can be loaded
  /// A variable as NCCL will see it: from the environment, else its configuration files.
  std::function<std::optional<std::string>(const std::string& name)> variable;
};

/// A variable from the environment, else from the configuration files of NCCL; read anew with every call.
std::optional<std::string> variable_as_nccl_sees_it(const std::string& name);

/// One sentence naming what of `settings` cannot be had for `collective`; nothing where all can.
std::optional<std::string> objection(const VariantSettings& settings, const Traits& collective,
                                     const Surroundings& here);

/// The configuration that carries what `objection` let pass; what an older header has no field for is left out.
ncclConfig_t config_of(const VariantSettings& settings, int version);

/// The tuner's table that makes NCCL's every choice `settings`'s: algorithm, protocol and, where set, channels.
std::string table_of(const VariantSettings& settings);

}  // namespace busbar::nccl
