#include "transport/mpi_world.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "core/error.h"

namespace busbar::mpi {
namespace {

constexpr std::size_t longest_host = 256;

/// What every process tells the others before anything else.
struct Card {
  Role role;
  int threads;
  std::array<char, longest_host> host;
};

}  // namespace

World::World(Role own, const std::string& host, int threads) : everyone_(duplicate(MPI_COMM_WORLD)), threads_(threads) {
  const MPI_Comm everyone = everyone_.get();
  int size = 0;
  check(MPI_Comm_rank(everyone, &self_.value), "MPI_Comm_rank");
  check(MPI_Comm_size(everyone, &size), "MPI_Comm_size");

  Card mine{own, threads, {}};
  std::strncpy(mine.host.data(), host.c_str(), longest_host - 1);
  std::vector<Card> cards(static_cast<std::size_t>(size));
  check(MPI_Allgather(&mine, sizeof(Card), MPI_BYTE, cards.data(), sizeof(Card), MPI_BYTE, everyone), "MPI_Allgather");
  for (const Card& card : cards) {
    if (card.role == Role::worker && workers_ != static_cast<int>(processes_.size())) {
      throw UsageError(fmt::format("process {} is a worker and comes after an aggregator; accepted is the other order",
                                   processes_.size()));
    }
    if (card.threads != threads) {
      throw UsageError(fmt::format(
          "--threads is {} in process {} and {} in process {}; accepted is one number for all processes, and "
          "1 where there are aggregators",
          card.threads, processes_.size(), threads, self_.value));
    }
    workers_ += card.role == Role::worker ? 1 : 0;
    processes_.push_back({card.host.data(), card.role});
  }
  if (workers_ == 0) throw UsageError("all processes are aggregators; accepted is at least one worker before them");

  MPI_Comm peers = MPI_COMM_NULL;
  check(MPI_Comm_split(everyone, static_cast<int>(own), self_.value, &peers), "MPI_Comm_split");
  peers_ = Communicator{peers};
}

}  // namespace busbar::mpi
