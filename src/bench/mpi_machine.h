// The machine that this process really runs on.
#pragma once

#include "bench/machine.h"

namespace busbar::mpi {

class ThisMachine final : public Machine {
 public:
  ThisMachine();
  std::string name() const override { return host_name(); }
  Host describe() const override { return read_host(); }
  const Clock& clock() const override { return clock_; }
  bool speaks_for_launch() const override;
  std::unique_ptr<Watchdog> watch(const Progress& progress, Role role) const override;
  std::unique_ptr<CounterReader> counters() const override { return std::make_unique<CounterReader>(); }
  std::unique_ptr<tree::Intake> intake() const override { return nullptr; }
  [[noreturn]] void end_launch(int code) const override;

 private:
  MonotonicClock clock_;
};

}  // namespace busbar::mpi
