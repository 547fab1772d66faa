#include "sim/reduction.h"

#include <simgrid/actor.h>
#include <simgrid/engine.h>

#include <algorithm>

namespace busbar::sim {

void HostReduction::charge(Bytes operand) const {
  sg_actor_sleep_for(static_cast<double>(operand.value) / bytes_per_s_);
}

void SwitchIntake::take_in(Bytes bytes, bool first) {
  const double now_s = simgrid_get_clock();
  const double takes_s = static_cast<double>(bytes.value) / bytes_per_s_;
  done_s_ = first ? now_s + takes_s : std::max(now_s, done_s_ + takes_s);
  if (done_s_ > now_s) sg_actor_sleep_for(done_s_ - now_s);
}

}  // namespace busbar::sim
