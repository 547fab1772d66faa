// What reducing costs where computing takes no time by itself, as on simulated hosts. Real ones have none of this.
#pragma once

#include "core/units.h"

namespace busbar {

/// Of one rank.
class ReductionCost {
 public:
  virtual ~ReductionCost() = default;
  /// Returns when the time has passed in which this rank combines two vectors of that length.
  virtual void charge(Bytes operand) const = 0;
};

}  // namespace busbar
