// The workers of one process: ranks on a thread each.
#pragma once

#include "bench/command_line.h"
#include "bench/equipment.h"
#include "bench/launch.h"
#include "bench/machine.h"
#include "core/error.h"
#include "measure/progress.h"
#include "transport/mpi_world.h"

namespace busbar {

/// What the worker ranks of a process have in common.
struct WorkerProcess {
  const CommandLine& line;
  const mpi::World& world;
  const Machine& machine;
  const Introductions& everyone;
  const Outfitter& outfit;
  Nanoseconds init_limit{};
};

/// The process's whole measurement; the calling thread is its first rank and `progress` that rank's, which the caller
/// watches. With one thread it throws what went wrong; with several, whichever fails ends the launch.
ExitCode work(const WorkerProcess& process, Progress& progress);

}  // namespace busbar
