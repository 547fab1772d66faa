// The engine as an MPI program, whatever transport it is given.
#pragma once

#include <mpi.h>

#include <functional>
#include <memory>

#include "transport/transport.h"

namespace busbar {

using TransportMaker = std::function<std::unique_ptr<Transport>(MPI_Comm workers)>;

/// Everything between main's arguments and its exit code.
int mpi_main(int argc, char** argv, const TransportMaker& make_transport);

}  // namespace busbar
