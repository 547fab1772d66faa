// Carries out an operation's portable schedule with MPI's non-blocking point-to-point calls.
#pragma once

#include <memory>

#include "transport/mpi_types.h"
#include "transport/reduction_cost.h"
#include "transport/transport.h"

namespace busbar::mpi {

/// @param cost of every reduction; null where reducing takes the time it takes. Must outlive the operation.
/// @throws UsageError where one message has more elements than MPI's int can carry.
std::unique_ptr<Operation> scheduled_operation(const OperationSpec& spec, const Buffers& buffers, MPI_Comm comm,
                                               Rank self, const TypeTable& types, const ReductionCost* cost);

}  // namespace busbar::mpi
