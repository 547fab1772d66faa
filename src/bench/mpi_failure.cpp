#include "bench/mpi_failure.h"

#include <fmt/format.h>
#include <mpi.h>
#include <unistd.h>

#include <mutex>

#include "core/error.h"
#include "observe/host.h"

namespace busbar {
namespace {

int exit_code_of(const std::exception& problem) {
  const auto* const ours = dynamic_cast<const Error*>(&problem);
  return static_cast<int>(ours != nullptr ? ours->code() : ExitCode::incomplete);
}

}  // namespace

void end_launch(Role role, const Progress& progress, const std::exception& problem) {
  static std::mutex one_speaks;  // the first thread of a process to fail: the others may do so because it did
  const std::lock_guard lock(one_speaks);
  const auto number = progress.read().rank;
  fmt::print(stderr, "busbar-bench: {}{} on {}: {}\n", role == Role::worker ? "rank" : "aggregator",
             number ? fmt::format(" {}", *number) : "", host_name(), problem.what());
  MPI_Abort(MPI_COMM_WORLD, exit_code_of(problem));
  _exit(exit_code_of(problem));
}

}  // namespace busbar
