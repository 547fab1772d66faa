// Who combines vectors: the operators of MPI's reductions, and what our own schedules' reductions cost.
#pragma once

#include "core/datatype.h"
#include "transport/mpi_handles.h"
#include "transport/reduction_cost.h"

namespace busbar::mpi {

class Operators {
 public:
  virtual ~Operators() = default;
  /// For an operation that is being prepared; it lives as long as this object. avg is carried out as a sum; whoever
  /// asked divides afterwards. MPI has no premulsum, which the transport refuses.
  /// @param payload whether there is anything in the vectors
  /// @throws std::logic_error for premulsum.
  virtual MPI_Op op(DataType type, RedOp redop, bool payload) const = 0;
  /// Of a reduction in a portable schedule; null where reducing takes the time it takes.
  virtual const ReductionCost* cost() const = 0;
};

/// MPI's own, and user-defined ones for floating-point types narrower than float, which MPI has not.
class LibraryOperators final : public Operators {
 public:
  LibraryOperators();
  MPI_Op op(DataType type, RedOp redop, bool payload) const override;
  const ReductionCost* cost() const override { return nullptr; }

 private:
  struct SmallFloat {
    Op sum, prod, min, max;
  };
  template <DataType type>
  static SmallFloat make();
  /// Null for those that MPI has.
  const SmallFloat* small_float(DataType type) const;

  SmallFloat float8_e4m3_, float8_e5m2_, half_, bfloat16_;
};

/// A commutative operator that does what `function` does.
Op make_op(MPI_User_function* function);

}  // namespace busbar::mpi
