// This launch, as every worker knows it: who is where, on which clock.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "bench/runtime.h"
#include "core/units.h"

namespace busbar {

/// Where one worker runs.
struct Place {
  std::string host;
  std::uint64_t clock_key = 0;  ///< ranks with the same key read the very same clock
};

struct Launch {
  std::vector<Place> places;  ///< by rank
  Nanoseconds began{};        ///< on rank 0's clock
};

/// What the engine was built from, for the record.
struct BuildInfo {
  std::string version;
  std::string compiler;
};

/// Gathers who and what this launch runs on. Collective over the workers.
/// @param init_us how long initialising the library took on this rank, microseconds
/// @param answer  at rank 0: the `launch` answer
Launch survey(Runtime& runtime, const BuildInfo& build, double init_us, nlohmann::json& answer);

}  // namespace busbar
