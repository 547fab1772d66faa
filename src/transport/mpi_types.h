// MPI's names for our element types and reduction operators. MPI has no floating-point types narrower than float:
// user-defined types and operators stand in.
#pragma once

#include "core/datatype.h"
#include "transport/mpi_handles.h"

namespace busbar::mpi {

class TypeTable {
 public:
  TypeTable();
  MPI_Datatype type(DataType type) const;
  /// avg is carried out as a sum; whoever asked divides afterwards. MPI has no premulsum, which the transport refuses.
  /// @throws std::logic_error for premulsum.
  MPI_Op op(DataType type, RedOp redop) const;

 private:
  struct SmallFloat {
    Type type;
    Op sum, prod, min, max;
  };
  template <DataType type>
  static SmallFloat make();
  /// Null for those that MPI has.
  const SmallFloat* small_float(DataType type) const;

  SmallFloat float8_e4m3_, float8_e5m2_, half_, bfloat16_;
};

}  // namespace busbar::mpi
