// The transport `mpi`: every operation by MPI's own call or by its portable schedule over MPI_Isend and MPI_Irecv.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "transport/mpi_operators.h"
#include "transport/mpi_world.h"
#include "transport/transport.h"

namespace busbar::mpi {

/// Such as "Open MPI v4.1.4".
std::string library_version();

/// Called by workers. `world` must outlive the transport; `trees` as tree::wire takes them.
/// Settings: `schedule` = native | portable; `in_network` = off | tree | sharp with what TreeSettings knows; and any
/// writable MPI_T control variable by its name.
/// @throws UsageError where a tree cannot be made out of the launch's aggregators.
std::unique_ptr<Transport> make_transport(const World& world, const std::vector<std::string>& trees,
                                          std::unique_ptr<const Operators> operators);

}  // namespace busbar::mpi
