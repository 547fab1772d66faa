// What the GPUs of a group did around a block: clocks, temperature, and what slowed them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gpu/platform.h"
#include "measure/control.h"

namespace busbar {

struct GroupHealth {
  std::vector<std::string> by_rank;  ///< at rank 0, one JSON text per rank: {"before": …, "after": …}
  std::optional<bool> throttled;     ///< at rank 0: whether any GPU says that something slowed it; null where none says
};

/// Collective over the group. `gpu` may be null: then nothing is known.
GroupHealth gather_health(Control& control, const std::optional<gpu::Health>& before,
                          const std::optional<gpu::Health>& after);

}  // namespace busbar
