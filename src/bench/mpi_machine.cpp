#include "bench/mpi_machine.h"

#include <mpi.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "observe/environment.h"

namespace busbar::mpi {

ThisMachine::ThisMachine() : clock_(ranks_share_cores(environ)) {}

/// Launchers tell a process its number before MPI_Init.
bool ThisMachine::speaks_for_launch() const {
  for (const char* const variable : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"}) {
    if (const char* const rank = std::getenv(variable)) return std::string_view{rank} == "0";
  }
  return true;
}

std::unique_ptr<Watchdog> ThisMachine::watch(const Progress& progress, Role role) const {
  return std::make_unique<Watchdog>(progress, clock_, WatchdogOptions{.host = name(), .role = role});
}

void ThisMachine::end_launch(int code) const {
  MPI_Abort(MPI_COMM_WORLD, code);
  _exit(code);
}

}  // namespace busbar::mpi
