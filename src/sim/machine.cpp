#include "sim/machine.h"

#include <fmt/format.h>
#include <simgrid/actor.h>
#include <simgrid/engine.h>
#include <simgrid/version.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <string_view>

#include "sim/host_property.h"
#include "sim/reduction.h"

namespace busbar::sim {
namespace {

constexpr double ns_per_s = 1e9;

}  // namespace

Nanoseconds SimulatedClock::now() const noexcept { return Nanoseconds{std::llround(simgrid_get_clock() * ns_per_s)}; }

Nanoseconds SimulatedClock::wait_until(Nanoseconds then) const noexcept {
  const double left_s = static_cast<double>(then.count()) / ns_per_s - simgrid_get_clock();
  if (left_s > 0) sg_actor_sleep_for(left_s);
  return std::max(now(), then);
}

void SimulatedClock::nap(Nanoseconds length) const noexcept {
  sg_actor_sleep_for(static_cast<double>(length.count()) / ns_per_s);
}

std::string SimulatedMachine::name() const { return std::string{host_property("node")}; }

Host SimulatedMachine::describe() const {
  Host host;
  host.name = name();
  host.kernel = "none";
  host.os = fmt::format("SimGrid {}.{}", SIMGRID_VERSION_MAJOR, SIMGRID_VERSION_MINOR);
  host.boot_id = "simulated";  // one clock for all
  return host;
}

bool SimulatedMachine::speaks_for_launch() const { return std::string_view{sg_actor_self_get_name()} == "0"; }

std::unique_ptr<tree::Intake> SimulatedMachine::intake() const {
  const auto rate = reduction_rate();
  return rate ? std::make_unique<SwitchIntake>(*rate) : nullptr;
}

void SimulatedMachine::end_launch(int code) const {
  std::fflush(nullptr);
  _exit(code);
}

Role SimulatedMachine::role() const { return host_property("role") == "aggregator" ? Role::aggregator : Role::worker; }

}  // namespace busbar::sim
