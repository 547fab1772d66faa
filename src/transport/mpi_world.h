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
  /// @param threads worker ranks of this process
  /// @throws UsageError where no process is a worker, or one comes after an aggregator, since workers' ranks count from
  /// process 0 on; and where processes differ in their threads, of which an aggregator has one.
  World(Role own, const std::string& host, int threads = 1);

  MPI_Comm everyone() const { return everyone_.get(); }
  /// Of this process's own role. Code that measures sees no other.
  MPI_Comm peers() const { return peers_.get(); }
  ProcessId self() const { return self_; }
  /// Processes, each of which is as many worker ranks as it has threads.
  int workers() const { return workers_; }
  int threads() const { return threads_; }
  /// By process number.
  const std::vector<tree::Place>& processes() const { return processes_; }

 private:
  Communicator everyone_;
  Communicator peers_;
  ProcessId self_;
  int workers_ = 0;
  int threads_;
  std::vector<tree::Place> processes_;
};

}  // namespace busbar::mpi
