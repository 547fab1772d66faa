// MPI's names for our element types and reduction operators. MPI has no binary16 and bfloat16: user-defined types and
// operators stand in.
#pragma once

#include <optional>

#include "core/datatype.h"
#include "transport/mpi_handles.h"

namespace busbar::mpi {

class TypeTable {
 public:
  TypeTable();
  MPI_Datatype type(DataType type) const;
  /// avg is carried out as a sum; whoever asked divides afterwards.
  MPI_Op op(DataType type, RedOp redop) const;

 private:
  Type half_;
  Type bfloat16_;
  Op sum_half_, prod_half_, min_half_, max_half_;
  Op sum_bfloat16_, prod_bfloat16_, min_bfloat16_, max_bfloat16_;
};

}  // namespace busbar::mpi
