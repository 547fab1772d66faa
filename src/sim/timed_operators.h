// Operators for the reductions of SimGrid's MPI that take time, as its own take none. SimGrid calls an operator on the
// process that reduces, so that it may let time pass. It asks of one only whether it commutes: messages are the same.
#pragma once

#include <vector>

#include "sim/reduction.h"
#include "transport/mpi_operators.h"

namespace busbar::sim {

class TimedOperators final : public mpi::Operators {
 public:
  /// @param bytes_per_s what a rank combines on this host, which `reduction_rate` says too
  explicit TimedOperators(double bytes_per_s);
  /// Without payload it lets time pass and leaves memory alone.
  MPI_Op op(DataType type, RedOp redop, bool payload) const override;
  const ReductionCost* cost() const override { return &cost_; }

 private:
  HostReduction cost_;
  std::vector<mpi::Op> ops_;  ///< of all types' reductions, type by type
  mpi::Op hollow_;
};

}  // namespace busbar::sim
