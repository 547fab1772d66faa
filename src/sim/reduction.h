// The time that reducing takes on simulated hosts and in simulated switches, at the rates of the platform.
#pragma once

#include "transport/reduction_cost.h"
#include "transport/tree/intake.h"

namespace busbar::sim {

/// A rank has a core of its own: while it combines it does nothing else, and messages under way go on.
class HostReduction final : public ReductionCost {
 public:
  explicit HostReduction(double bytes_per_s) : bytes_per_s_(bytes_per_s) {}
  void charge(Bytes operand) const override;

 private:
  double bytes_per_s_;
};

/// A switch reduces what comes in while it comes in, and meanwhile sends what it reduced before: so a chunk is done as
/// soon as it is here, but no sooner after the one before it than its bytes take at the switch's rate. Of the first of
/// an execution it is not known when it began to come in: its bytes take their time once it is here.
class SwitchIntake final : public tree::Intake {
 public:
  explicit SwitchIntake(double bytes_per_s) : bytes_per_s_(bytes_per_s) {}
  void take_in(Bytes bytes, bool first) override;

 private:
  double bytes_per_s_;
  double done_s_ = 0;  ///< when the chunk before was
};

}  // namespace busbar::sim
