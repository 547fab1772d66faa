// The transport `mpi`: every operation by MPI's own call or by its portable schedule over MPI_Isend and MPI_Irecv.
#pragma once

#include <mpi.h>

#include <memory>

#include "transport/transport.h"

namespace busbar::mpi {

/// Needs MPI to be initialised; `workers` are the processes whose role is worker.
/// Settings: `schedule` = native | portable, and any writable MPI_T control variable by its name.
std::unique_ptr<Transport> make_transport(MPI_Comm workers);

}  // namespace busbar::mpi
