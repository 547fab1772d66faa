// What NVLink carried during a block, and what went wrong on it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gpu/platform.h"
#include "measure/control.h"

namespace busbar {

/// At rank 0, one JSON text per rank: bytes per execution and errors in all between two readings of its GPU; "null" for
/// a rank that has no GPU or whose GPU tells nothing of NVLink. A counter that went backwards is null. Collective over
/// the group.
/// @param executions between the readings, above 0
std::vector<std::string> gather_nvlink(Control& control, const std::optional<gpu::Health>& before,
                                       const std::optional<gpu::Health>& after, std::uint64_t executions);

}  // namespace busbar
