// The one door to time. Everything that measures or waits goes through a Clock, so that tests and a simulator can put
// virtual time behind it.
#pragma once

#include "core/units.h"

namespace busbar {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Time on this process's own clock; monotonic.
  virtual Nanoseconds now() const noexcept = 0;
  /// Waits until `then` and returns the first reading that is not before it: the start of whatever follows, with no
  /// second reading in between. Returns at once, with the present time, when `then` has passed.
  virtual Nanoseconds wait_until(Nanoseconds then) const noexcept = 0;
  /// Gives the core away for about this long; for waiting that nothing depends on.
  virtual void nap(Nanoseconds length) const noexcept = 0;
  /// Whether a simulator makes the time: who waits then costs nobody a core.
  virtual bool simulated() const noexcept { return false; }
};

/// CLOCK_MONOTONIC: not stepped, and the same for all processes of one kernel.
/// @param share_core true where ranks outnumber cores: a waiting rank then lets others run instead of spinning.
class MonotonicClock final : public Clock {
 public:
  explicit MonotonicClock(bool share_core) : share_core_(share_core) {}
  Nanoseconds now() const noexcept override;
  Nanoseconds wait_until(Nanoseconds then) const noexcept override;
  void nap(Nanoseconds length) const noexcept override;

 private:
  bool share_core_;
};

}  // namespace busbar
