// Ends a process that hangs, and says where it hung. A thread of its own: the working thread may be stuck anywhere, in
// MPI_Init for instance, so the watchdog calls no MPI and asks the working thread for nothing.
#pragma once

#include <unistd.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "core/error.h"
#include "measure/clock.h"
#include "measure/progress.h"

namespace busbar {

struct WatchdogOptions {
  std::string host;
  Role role = Role::worker;
  /// Between the line and the end. The launcher tears all ranks down when the first one ends, and the others are to
  /// have said where they hang by then: they notice within `Watchdog::longest_nap` of each other.
  Nanoseconds grace{2'000'000'000};
  int fd = STDERR_FILENO;
  /// Ends the process. `_exit`, not `exit`: destructors and MPI's own clean-up would wait for what hangs.
  std::function<void()> exit = [] { _exit(static_cast<int>(ExitCode::hang)); };
};

/// How long the present phase has lasted, if that is longer than it may.
std::optional<Nanoseconds> overdue(const Progress::Snapshot& at, Nanoseconds now);

/// `busbar-watchdog: {…}` and a newline, as results/README.md describes it.
std::string hang_line(const Progress::Snapshot& at, const WatchdogOptions& who, Nanoseconds waited);

/// Watches `progress` from construction to destruction; both it and `clock` must outlive the watchdog. `clock` is the
/// one whose readings `progress` gets, and is read from the watchdog's thread.
class Watchdog {
 public:
  /// The working thread wakes nobody when it enters a phase, so the watchdog looks this often at least, sooner where a
  /// deadline is nearer; a limit shorter than this may be noticed this much too late. Two wake-ups of some 10 µs a
  /// second disturb no measurement.
  static constexpr Nanoseconds longest_nap{500'000'000};

  Watchdog(const Progress& progress, const Clock& clock, WatchdogOptions options);
  /// Stops at once.
  ~Watchdog() = default;
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// Looks now. For clocks that a test moves: the watchdog's naps take real time.
  void look();

 private:
  void run(const std::stop_token& stop);
  bool nap(const std::stop_token& stop, Nanoseconds longest);
  void say(const std::string& line) const;

  const Progress& progress_;
  const Clock& clock_;
  WatchdogOptions options_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool look_ = false;    // guarded by mutex_
  std::jthread thread_;  // last: it uses all of the above, and is stopped and joined before they go
};

}  // namespace busbar
