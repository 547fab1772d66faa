#include "measure/clock_model.h"

#include <algorithm>
#include <cmath>

namespace busbar {
namespace {

// Two kernels' clocks drift apart by no more: crystals keep within 100 ppm, and NTP steers by at most 500 ppm each way.
// Only a stand-in until readings say more; where they contradict it, they are believed.
constexpr double most_drift = 1e-3;

// Drift is taken over about this time: long enough for a small error (20 µs over 10 s are 2 ppm), short enough for
// drift to be a straight line (Hunold and Carpen-Amarie found that it is over some ten seconds).
constexpr Nanoseconds drift_window{10'000'000'000};

std::int64_t round_ns(double ns) { return std::llround(ns); }

// The drift between two readings, and its error: narrowed by `most_drift` where the two agree.
struct Drift {
  double value = 0.0;
  double error = most_drift;
};

Drift drift_between(const ClockReading& from, const ClockReading& to) {
  const auto span = static_cast<double>((to.local - from.local).count());
  const double slope = static_cast<double>((to.offset - from.offset).count()) / span;
  const double error = static_cast<double>((to.error + from.error).count()) / span;
  const double low = std::max(slope - error, -most_drift);
  const double high = std::min(slope + error, most_drift);
  if (low > high) return {slope, error};
  return {(low + high) / 2.0, (high - low) / 2.0};
}

}  // namespace

Nanoseconds ClockModel::to_global(Nanoseconds local) const {
  const auto age = static_cast<double>(local.count() - local_ns);
  return local + Nanoseconds{offset_ns + round_ns(age * drift)};
}

Nanoseconds ClockModel::to_local(Nanoseconds global) const {
  const auto age = static_cast<double>(global.count() - offset_ns - local_ns);  // as this clock would have it undrifted
  return global - Nanoseconds{offset_ns + round_ns(age * (drift / (1.0 + drift)))};
}

Nanoseconds ClockModel::error_at(Nanoseconds local) const {
  const auto age = std::abs(static_cast<double>(local.count() - local_ns));
  const double surprise = static_cast<double>(surprise_ns) * std::max(1.0, age / surprise_span_ns);
  return Nanoseconds{reading_ns + static_cast<std::int64_t>(std::ceil(surprise + age * drift_error))};
}

void ClockTracker::add(const ClockReading& reading) {
  const std::int64_t surprise = std::abs((reading.local + reading.offset - model_.to_global(reading.local)).count());
  const std::int64_t span = std::max<std::int64_t>(1, reading.local.count() - model_.local_ns);

  while (kept_.size() > 1 && reading.local - kept_[1].local >= drift_window) kept_.pop_front();
  const bool far_enough = !kept_.empty() && reading.local - kept_.front().local >= least_span;
  const Drift drift = far_enough ? drift_between(kept_.front(), reading) : Drift{};
  if (kept_.empty() || reading.local - kept_.back().local >= least_span) kept_.push_back(reading);

  model_ = {.local_ns = reading.local.count(),
            .offset_ns = reading.offset.count(),
            .drift = drift.value,
            .reading_ns = reading.error.count(),
            .surprise_ns = drift_seen_ ? surprise : 0,  // a model that had seen no drift is not surprised by it
            .surprise_span_ns = static_cast<double>(span),
            .drift_error = drift.error};
  drift_seen_ = drift_seen_ || far_enough;
}

}  // namespace busbar
