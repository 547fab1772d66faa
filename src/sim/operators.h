// Operators for the reductions of SimGrid's MPI. Its own take no time, and sum what holds nothing. SimGrid calls an
// operator on the process that reduces, so that it may let time pass, and asks of one only whether it commutes:
// messages are the same whatever it does.
#pragma once

#include <optional>
#include <vector>

#include "sim/reduction.h"
#include "transport/mpi_operators.h"

namespace busbar::sim {

class SimulatedOperators final : public mpi::Operators {
 public:
  /// @param bytes_per_s what `reduction_rate` says of this host
  explicit SimulatedOperators(std::optional<double> bytes_per_s);
  /// Without payload it leaves memory alone, and with a rate it lets time pass.
  MPI_Op op(DataType type, RedOp redop, bool payload) const override;
  const ReductionCost* cost() const override { return cost_ ? &*cost_ : nullptr; }

 private:
  std::optional<HostReduction> cost_;
  mpi::LibraryOperators library_;
  std::vector<mpi::Op> timed_;  ///< of all types' reductions, type by type; empty at no cost
  mpi::Op hollow_;
};

}  // namespace busbar::sim
