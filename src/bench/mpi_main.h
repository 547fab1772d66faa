// The engine as an MPI program, whatever transport it is given and whatever machine it runs on.
#pragma once

#include "bench/equipment.h"
#include "bench/machine.h"

namespace busbar {

/// Everything between main's arguments and its exit code.
int mpi_main(int argc, char** argv, const Outfitter& outfit, const Machine& machine);

}  // namespace busbar
