// The processes of a launch: workers, which take part in operations, and aggregators, which reduce for them.
#pragma once

#include <string>
#include <vector>

#include "transport/mpi_handles.h"
#include "transport/tree/shape.h"

namespace busbar::mpi {

class World {
 public:
  /// Collective over MPI_COMM_WORLD.
  /// @throws UsageError where no process is a worker, or one comes after an aggregator: a worker's rank is its number.
  World(Role own, const std::string& host);

  MPI_Comm everyone() const { return everyone_.get(); }
  /// Of this process's own role. Code that measures sees no other.
  MPI_Comm peers() const { return peers_.get(); }
  ProcessId self() const { return self_; }
  int workers() const { return workers_; }
  /// By process number.
  const std::vector<tree::Place>& processes() const { return processes_; }

 private:
  Communicator everyone_;
  Communicator peers_;
  ProcessId self_;
  int workers_ = 0;
  std::vector<tree::Place> processes_;
};

}  // namespace busbar::mpi
