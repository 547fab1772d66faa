#include "measure/clock.h"

#include <sched.h>

#include <ctime>

namespace busbar {
namespace {

// A sleeping thread wakes late by the timer slack (50 µs by default) and the time to be scheduled; what is left of the
// wait after this margin is spun.
constexpr Nanoseconds sleep_margin{200'000};

timespec as_timespec(Nanoseconds t) {
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(t);
  return {.tv_sec = whole.count(), .tv_nsec = (t - whole).count()};
}

}  // namespace

Nanoseconds MonotonicClock::now() const noexcept {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return std::chrono::seconds{t.tv_sec} + Nanoseconds{t.tv_nsec};
}

Nanoseconds MonotonicClock::wait_until(Nanoseconds then) const noexcept {
  Nanoseconds t = now();
  if (share_core_ && then - t > 2 * sleep_margin) {
    const timespec until = as_timespec(then - sleep_margin);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
    t = now();
  }
  while (t < then) {
    if (share_core_) sched_yield();
    t = now();
  }
  return t;
}

void MonotonicClock::nap(Nanoseconds length) const noexcept {
  const timespec span = as_timespec(length);
  clock_nanosleep(CLOCK_MONOTONIC, 0, &span, nullptr);
}

}  // namespace busbar
