// The life of an aggregator process: wait for a job, serve it, wait for the next one.
#pragma once

#include "bench/machine.h"
#include "measure/progress.h"
#include "transport/mpi_world.h"

namespace busbar {

/// Serves until the workers dismiss it.
void aggregate(const mpi::World& world, const Machine& machine, Progress& progress);

}  // namespace busbar
