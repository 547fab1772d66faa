#include "transport/mpi_endpoint.h"

#include <fmt/format.h>

#include "core/error.h"

namespace busbar::mpi {

MpiEndpoint::MpiEndpoint(MPI_Comm processes, int thread, int threads)
    : comm_(processes), thread_(thread), threads_(threads) {
  check(MPI_Comm_rank(comm_, &process_), "MPI_Comm_rank");
  check(MPI_Comm_size(comm_, &processes_), "MPI_Comm_size");
  void* highest = nullptr;
  int known = 0;
  check(MPI_Comm_get_attr(comm_, MPI_TAG_UB, static_cast<void*>(&highest), &known), "MPI_Comm_get_attr");
  constexpr int least_that_mpi_promises = 32767;
  highest_tag_ = known != 0 ? *static_cast<const int*>(highest) : least_that_mpi_promises;
}

void MpiEndpoint::send(Rank to, Lane lane, std::span<const std::byte> data) {
  check(MPI_Send(data.data(), static_cast<int>(data.size()), MPI_BYTE, process_of(to), tag(lane, rank(), to), comm_),
        "MPI_Send");
}

void MpiEndpoint::receive(Rank from, Lane lane, std::span<std::byte> into) {
  check(MPI_Recv(into.data(), static_cast<int>(into.size()), MPI_BYTE, process_of(from), tag(lane, from, rank()), comm_,
                 MPI_STATUS_IGNORE),
        "MPI_Recv");
}

void MpiEndpoint::exchange(Rank to, Rank from, Lane lane) {
  check(MPI_Sendrecv(nullptr, 0, MPI_BYTE, process_of(to), tag(lane, rank(), to), nullptr, 0, MPI_BYTE,
                     process_of(from), tag(lane, from, rank()), comm_, MPI_STATUS_IGNORE),
        "MPI_Sendrecv");
}

int MpiEndpoint::tag(Lane lane, Rank from, Rank to) const {
  const std::int64_t of_lane = std::int64_t{lane.value} * threads_ * threads_;
  const std::int64_t tag = of_lane + (from.value % threads_) * threads_ + to.value % threads_;
  if (tag <= highest_tag_) return static_cast<int>(tag);
  throw RuntimeError(
      fmt::format("this launch has made so many groups of ranks that MPI's tags, which end at {}, cannot tell them "
                  "apart; accepted: fewer, or fewer threads than {} per process",
                  highest_tag_, threads_));
}

}  // namespace busbar::mpi
