// The machine that a process runs on: its name, its parts, its time, how it is watched and how it ends. A simulated one
// is another.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/units.h"
#include "measure/clock.h"
#include "measure/progress.h"
#include "measure/watchdog.h"
#include "observe/counters.h"
#include "observe/host.h"
#include "transport/tree/intake.h"

namespace busbar {

class Machine {
 public:
  virtual ~Machine() = default;
  virtual std::string name() const = 0;
  virtual Host describe() const = 0;
  virtual const Clock& clock() const = 0;
  /// Whether this is the process that speaks of a bad command line, before MPI has numbered them.
  virtual bool speaks_for_launch() const = 0;
  /// Ends a process that hangs; null where a simulator sees by itself that nothing can go on.
  virtual std::unique_ptr<Watchdog> watch(const Progress& progress, Role role) const = 0;
  /// Null where nothing counts.
  virtual std::unique_ptr<CounterReader> counters() const = 0;
  /// Of an aggregator on this machine; null where reducing takes the time it takes.
  virtual std::unique_ptr<tree::Intake> intake() const = 0;
  /// Ends all processes of the launch with this exit code.
  [[noreturn]] virtual void end_launch(int code) const = 0;
};

}  // namespace busbar
