// MPI's names for our element types. MPI has no floating-point types narrower than float: user-defined types stand in.
#pragma once

#include "core/datatype.h"
#include "transport/mpi_handles.h"

namespace busbar::mpi {

class TypeTable {
 public:
  TypeTable();
  MPI_Datatype type(DataType type) const;

 private:
  Type float8_e4m3_, float8_e5m2_, half_, bfloat16_;
};

}  // namespace busbar::mpi
