// The end of a launch in which something failed.
#pragma once

#include <exception>

#include "bench/machine.h"
#include "core/units.h"
#include "measure/progress.h"

namespace busbar {

/// Says in one sentence who failed and why, and ends the launch with its exit code for all: others may be waiting for
/// this one. Any thread may call it where MPI allows that.
[[noreturn]] void end_launch(const Machine& machine, Role role, const Progress& progress,
                             const std::exception& problem);

}  // namespace busbar
