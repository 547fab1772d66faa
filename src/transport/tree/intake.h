// The pace at which a switch reduces what comes in, where computing takes no time by itself. An aggregator on a real
// host has none: it takes the time it takes.
#pragma once

#include "core/units.h"

namespace busbar::tree {

class Intake {
 public:
  virtual ~Intake() = default;
  /// Returns when the switch has reduced this much, which all its children together sent. `first` of an execution.
  virtual void take_in(Bytes bytes, bool first) = 0;
};

}  // namespace busbar::tree
