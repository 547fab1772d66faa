// Messages between the ranks of a communicator, which may be threads of one process or of several. Within a process
// they go from hand to hand; between processes MPI carries them, and whichever thread waits takes in those of all.
#pragma once

#include <mpi.h>

#include <compare>
#include <cstddef>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <span>
#include <vector>

namespace busbar::nccl::fake {

/// Which communicator: the process that made its id, and which one of that process's it is.
struct CommId {
  int process;  ///< a rank of MPI_COMM_WORLD
  int number;
  auto operator<=>(const CommId&) const = default;
};

/// Between whom a message goes. Messages of one lane arrive in the order they are sent.
struct Lane {
  CommId comm;
  int from;
  int to;
  auto operator<=>(const Lane&) const = default;
};

class Post {
 public:
  using Letter = std::vector<std::byte>;

  static Post& of_process();
  /// This process in MPI_COMM_WORLD.
  static int process();

  /// Never waits.
  void send(int process, const Lane& lane, std::span<const std::byte> content);
  /// Waits for the next one.
  Letter receive(const Lane& lane);
  /// Waits until MPI has taken all that was sent from here.
  void flush();

 private:
  struct Outgoing {
    Letter letter;
    MPI_Request request = MPI_REQUEST_NULL;
  };

  /// Under the lock: takes in what has come, lets go of what has gone.
  void attend();

  std::mutex mutex_;  ///< guards all below, and MPI
  std::map<Lane, std::deque<Letter>> arrived_;
  std::list<Outgoing> outgoing_;
};

}  // namespace busbar::nccl::fake
