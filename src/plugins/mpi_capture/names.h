// MPI's predefined datatypes and operators by name.
#pragma once

#include <mpi.h>

namespace busbar::plugins {

/// Integers under the name of their width, "MPI_INT64_T" for MPI_LONG; bytes and characters without a sign are
/// "MPI_UINT8_T". Null for what the application made, and for what no measurement could stand for: characters of
/// several bytes, complex numbers, pairs.
const char* datatype_name(MPI_Datatype type);

/// "MPI_SUM"; null for what the application made.
const char* operator_name(MPI_Op op);

}  // namespace busbar::plugins
