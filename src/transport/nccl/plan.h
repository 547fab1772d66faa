// A portable schedule in the form in which a stream can carry it out: copies, then one group of sends and receives.
#pragma once

#include <vector>

#include "collectives/schedule.h"

namespace busbar::nccl {

struct Stage {
  std::vector<LocalWork> copies;
  std::vector<Send> sends;
  std::vector<Receive> receives;
};

using Plan = std::vector<Stage>;

/// Successive exchanges that touch nothing of one another's become one group, as NCCL's users write an all-to-all: one
/// kernel instead of one per step. Steps that wait for data stay apart.
/// @throws UsageError where the schedule reduces.
Plan plan_of(const Schedule& schedule);

}  // namespace busbar::nccl
