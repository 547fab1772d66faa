#include "bench/mpi_failure.h"

#include <fmt/format.h>

#include <cstdlib>
#include <mutex>

#include "core/error.h"

namespace busbar {
namespace {

int exit_code_of(const std::exception& problem) {
  const auto* const ours = dynamic_cast<const Error*>(&problem);
  return static_cast<int>(ours != nullptr ? ours->code() : ExitCode::incomplete);
}

}  // namespace

void end_launch(const Machine& machine, Role role, const Progress& progress, const std::exception& problem) {
  static std::mutex one_speaks;  // the first thread of a process to fail: the others may do so because it did
  const std::lock_guard lock(one_speaks);
  const auto number = progress.read().rank;
  fmt::print(stderr, "busbar-bench: {}{} on {}: {}\n", role == Role::worker ? "rank" : "aggregator",
             number ? fmt::format(" {}", *number) : "", machine.name(), problem.what());
  machine.end_launch(exit_code_of(problem));
  std::abort();  // not reached: compilers do not all believe a virtual function that it never returns
}

}  // namespace busbar
