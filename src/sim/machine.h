// A host of the simulated platform, which one process of this one program takes for its machine.
#pragma once

#include "bench/machine.h"

namespace busbar::sim {

/// Time that only the simulator moves: the same figures on every machine, and waiting costs none.
class SimulatedClock final : public Clock {
 public:
  Nanoseconds now() const noexcept override;
  Nanoseconds wait_until(Nanoseconds then) const noexcept override;
  void nap(Nanoseconds length) const noexcept override;
  bool simulated() const noexcept override { return true; }
};

/// What the platform says of it. What a simulated host has not is absent: kernel files, counters, a watchdog.
class SimulatedMachine final : public Machine {
 public:
  std::string name() const override;
  Host describe() const override;
  const Clock& clock() const override { return clock_; }
  bool speaks_for_launch() const override;
  std::unique_ptr<Watchdog> watch(const Progress& /*progress*/, Role /*role*/) const override { return nullptr; }
  std::unique_ptr<CounterReader> counters() const override { return nullptr; }
  std::unique_ptr<tree::Intake> intake() const override;
  /// All processes of the launch are this one, so ending it ends them.
  [[noreturn]] void end_launch(int code) const override;

  /// As the platform's file has it.
  Role role() const;

 private:
  SimulatedClock clock_;
};

}  // namespace busbar::sim
