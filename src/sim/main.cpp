// busbar-bench on SimGrid's SMPI: the very engine, whose processes are simulated ones of one program. smpirun loads
// this as a library and calls its main once for each of them.
#include <fmt/format.h>

#include <array>
#include <string>
#include <vector>

#include "bench/mpi_main.h"
#include "core/error.h"
#include "memory/host.h"
#include "sim/hollow_memory.h"
#include "sim/host_property.h"
#include "sim/lifeline.h"
#include "sim/machine.h"
#include "sim/operators.h"
#include "transport/mpi.h"

namespace {

using namespace busbar;

Equipment equip_simulated(const Seat& seat, const Wanted& wanted) {
  if (wanted.transport != "mpi") {
    throw UsageError(fmt::format("transport '{}' cannot be simulated; accepted: mpi", wanted.transport));
  }
  Equipment equipment;
  equipment.memory = std::make_unique<HostMemory>();
  equipment.hollow_memory = std::make_unique<sim::HollowMemory>();
  equipment.transport =
      mpi::make_transport(seat.world, wanted.trees, std::make_unique<sim::SimulatedOperators>(sim::reduction_rate()));
  const std::string version = mpi::library_version();
  equipment.versions = {{"mpi", version.substr(0, version.find(". "))}};
  return equipment;
}

}  // namespace

int main(int argc, char** argv) {
  const sim::SimulatedMachine machine;
  if (machine.speaks_for_launch()) sim::hold_lifeline();
  // smpirun gives all processes the same words; who reduces is told by the host.
  std::vector<char*> words(argv, argv + argc);
  std::array<std::string, 2> role{"--role", "aggregator"};
  if (machine.role() == Role::aggregator) words.insert(words.end(), {role[0].data(), role[1].data()});
  words.push_back(nullptr);
  return mpi_main(static_cast<int>(words.size()) - 1, words.data(), equip_simulated, machine);
}
