// Busbar's NCCL plugins, as this process sees them: the same file that NCCL loads, loaded once more, so that both have
// one copy of its data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/units.h"
#include "plugins/profiler_api.h"
#include "plugins/tuner_api.h"

namespace busbar::nccl {

/// The tuner plugin's door for tables.
class Tuner {
 public:
  /// The plugin that NCCL_TUNER_PLUGIN names; none where that is unset or names another one.
  static std::optional<Tuner> find();

  /// For communicators made from now on; "" leaves every choice to NCCL. All ranks must set the same.
  /// @throws RuntimeError where the plugin takes it for malformed.
  void set_table(const std::string& text) const;
  /// Takes it back: what the launch said holds again.
  void reset() const;

 private:
  using SetTable = decltype(&::busbar_tuner_set_table);
  explicit Tuner(SetTable function) : set_table_(function) {}

  SetTable set_table_;
};

using ProfiledCommunicator = busbar_profiler_communicator;
using ProfiledRecord = busbar_profiler_record;

/// The profiler plugin's door for what it saw.
class Profiler {
 public:
  /// The plugin that NCCL_PROFILER_PLUGIN names; none where that is unset or names another one.
  static std::optional<Profiler> find();

  /// The communicator of that name; none where NCCL did not have the plugin when it was made. Without a name the one
  /// that was made last, if it is as large and still open: other threads may have made one meanwhile.
  std::optional<ProfiledCommunicator> newest(const std::string& name, Rank rank, int ranks) const;
  /// Its facts now.
  std::optional<ProfiledCommunicator> facts(std::uint64_t handle) const;
  /// What was recorded since the last call.
  std::vector<ProfiledRecord> read(std::uint64_t handle) const;

 private:
  using Communicators = decltype(&::busbar_profiler_communicators);
  using Read = decltype(&::busbar_profiler_read);
  Profiler(Communicators list, Read take) : communicators_(list), read_(take) {}
  std::vector<ProfiledCommunicator> all() const;

  Communicators communicators_;
  Read read_;
};

}  // namespace busbar::nccl
