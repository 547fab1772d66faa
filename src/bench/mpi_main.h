// The engine as an MPI program, whatever transport it is given.
#pragma once

#include "bench/equipment.h"

namespace busbar {

/// Everything between main's arguments and its exit code.
int mpi_main(int argc, char** argv, const Outfitter& outfit);

}  // namespace busbar
