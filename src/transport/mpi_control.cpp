#include "transport/mpi_control.h"

namespace busbar::mpi {
namespace {

constexpr int control_tag = 1;

}  // namespace

MpiControl::MpiControl(MPI_Comm comm) : comm_(duplicate(comm)) {
  check(MPI_Comm_rank(comm_.get(), &rank_.value), "MPI_Comm_rank");
  check(MPI_Comm_size(comm_.get(), &size_), "MPI_Comm_size");
}

void MpiControl::barrier() { check(MPI_Barrier(comm_.get()), "MPI_Barrier"); }

void MpiControl::broadcast(std::span<std::byte> data) {
  check(MPI_Bcast(data.data(), static_cast<int>(data.size()), MPI_BYTE, 0, comm_.get()), "MPI_Bcast");
}

std::vector<std::byte> MpiControl::gather(std::span<const std::byte> mine) {
  std::vector<std::byte> all(is_root() ? mine.size() * static_cast<std::size_t>(size_) : 0);
  const int bytes = static_cast<int>(mine.size());
  check(MPI_Gather(mine.data(), bytes, MPI_BYTE, all.data(), bytes, MPI_BYTE, 0, comm_.get()), "MPI_Gather");
  return all;
}

void MpiControl::send(Rank to, std::span<const std::byte> data) {
  check(MPI_Send(data.data(), static_cast<int>(data.size()), MPI_BYTE, to.value, control_tag, comm_.get()), "MPI_Send");
}

void MpiControl::receive(Rank from, std::span<std::byte> data) {
  check(MPI_Recv(data.data(), static_cast<int>(data.size()), MPI_BYTE, from.value, control_tag, comm_.get(),
                 MPI_STATUS_IGNORE),
        "MPI_Recv");
}

std::unique_ptr<Control> MpiControls::of(const std::vector<Rank>& members) {
  const Communicator group = communicator_of(comm_, members);
  return std::make_unique<MpiControl>(group.get());
}

}  // namespace busbar::mpi
