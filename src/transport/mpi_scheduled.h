// Carries out an operation's portable schedule with MPI's non-blocking point-to-point calls.
#pragma once

#include <memory>

#include "transport/mpi_types.h"
#include "transport/transport.h"

namespace busbar::mpi {

/// @throws UsageError where one message has more elements than MPI's int can carry.
std::unique_ptr<Operation> scheduled_operation(const OperationSpec& spec, const Buffers& buffers, MPI_Comm comm,
                                               Rank self, const TypeTable& types);

}  // namespace busbar::mpi
