// The operations that MPI itself has, by the names of collectives/.
#pragma once

#include <memory>

#include "transport/mpi_handles.h"
#include "transport/mpi_operators.h"
#include "transport/mpi_types.h"
#include "transport/transport.h"

namespace busbar::mpi {

/// An operation by MPI's own call, or null where MPI has none for it.
/// @throws UsageError where counts exceed what MPI's int can carry.
std::unique_ptr<Operation> native_operation(const OperationSpec& spec, const Buffers& buffers, MPI_Comm comm, Rank self,
                                            const TypeTable& types, const Operators& operators);

}  // namespace busbar::mpi
