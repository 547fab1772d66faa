// This launch, as every worker knows it: who is where, on which clock.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "bench/machine.h"
#include "bench/runtime.h"
#include "core/units.h"

namespace busbar {

/// Where one worker runs.
struct Place {
  std::string host;
  std::uint64_t clock_key = 0;  ///< ranks with the same key read the very same clock
};

struct Launch {
  std::vector<Place> places;  ///< of the workers, by rank
  int threads = 1;            ///< workers of each process
  Nanoseconds began{};        ///< on rank 0's clock
};

/// What the engine was built from, for the record.
struct BuildInfo {
  std::string version;
  std::string compiler;
};

/// What one process tells of itself, and the time that initialising the library took on it. Collective over all
/// processes of the launch, whatever their role: workers first tell each other in `survey`, aggregators only here.
struct Introductions {
  std::vector<std::string> told;  ///< at process 0: one text per process
  double slowest_init_us = 0;     ///< at process 0
};
Introductions introduce(Control& everyone, const Machine& machine, Role role, double init_us);

/// Gathers who and what this launch runs on. Collective over the workers.
/// @param answer at rank 0: the `launch` answer
Launch survey(Runtime& runtime, const Machine& machine, const BuildInfo& build, const Introductions& everyone,
              nlohmann::json& answer);

}  // namespace busbar
