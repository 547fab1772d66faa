// How one clock's time becomes another's: an offset, a drift, and how far both may be wrong.
#pragma once

#include <cstdint>
#include <deque>

#include "core/units.h"

namespace busbar {

/// Maps this rank's time to global time (rank 0's). Plain data, so that it can be sent. The default is the clock that
/// needs no mapping: global time is its own.
struct ClockModel {
  std::int64_t local_ns = 0;      ///< local time of the newest reading
  std::int64_t offset_ns = 0;     ///< global minus local time there
  double drift = 0.0;             ///< what the offset gains per local nanosecond
  std::int64_t reading_ns = 0;    ///< the newest reading's own error
  std::int64_t surprise_ns = 0;   ///< by how much the previous model had mispredicted it
  double surprise_span_ns = 1.0;  ///< over this time
  double drift_error = 0.0;       ///< by how much `drift` may be wrong

  Nanoseconds to_global(Nanoseconds local) const;
  Nanoseconds to_local(Nanoseconds global) const;
  /// How far `to_global(local)` may be from the truth. Grows with the distance from the newest reading, in either
  /// direction: the reading's error, plus the drift's error over that distance, plus the last surprise, once or in
  /// proportion where the distance is longer than the one that brought it. The first two bound the error of clocks that
  /// drift steadily; the surprise stands for those that do not (temperature, NTP).
  Nanoseconds error_at(Nanoseconds local) const;
};

/// One look at another clock.
struct ClockReading {
  Nanoseconds local;   ///< on this clock
  Nanoseconds offset;  ///< global minus local
  Nanoseconds error;   ///< the offset's bound
};

/// Readings in, model out.
class ClockTracker {
 public:
  /// Readings closer than this say nothing about drift: 10 µs of error in each are 200 ppm over it.
  static constexpr Nanoseconds least_span{100'000'000};

  /// Takes a reading newer than all before.
  void add(const ClockReading& reading);
  const ClockModel& model() const { return model_; }
  /// Whether readings far enough apart have been seen; before that the model allows for the worst.
  bool has_drift() const { return drift_seen_; }

 private:
  std::deque<ClockReading> kept_;  // oldest first, at least `least_span` apart
  ClockModel model_;
  bool drift_seen_ = false;
};

}  // namespace busbar
