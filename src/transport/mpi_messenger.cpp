#include "transport/mpi_messenger.h"

namespace busbar::mpi {
namespace {

constexpr int tree_tag = 21;

}  // namespace

MpiMessenger::~MpiMessenger() {
  // Left in flight only when an error ended the job; the launch is about to be aborted.
  for (MPI_Request& request : requests_) {
    if (request != MPI_REQUEST_NULL) MPI_Request_free(&request);
  }
}

void MpiMessenger::reserve(std::size_t handles) {
  requests_.resize(handles, MPI_REQUEST_NULL);
  candidates_.reserve(handles);
}

void MpiMessenger::send(Handle handle, ProcessId to, std::span<const std::byte> data) {
  check(MPI_Isend(data.data(), static_cast<int>(data.size()), MPI_BYTE, to.value, tree_tag, comm_, &requests_[handle]),
        "MPI_Isend");
}

void MpiMessenger::receive(Handle handle, ProcessId from, std::span<std::byte> into) {
  check(
      MPI_Irecv(into.data(), static_cast<int>(into.size()), MPI_BYTE, from.value, tree_tag, comm_, &requests_[handle]),
      "MPI_Irecv");
}

void MpiMessenger::wait(Handle handle) { check(MPI_Wait(&requests_[handle], MPI_STATUS_IGNORE), "MPI_Wait"); }

std::size_t MpiMessenger::wait_any(std::span<const Handle> handles) {
  candidates_.clear();
  for (const Handle handle : handles) candidates_.push_back(requests_[handle]);
  int place = 0;
  check(MPI_Waitany(static_cast<int>(handles.size()), candidates_.data(), &place, MPI_STATUS_IGNORE), "MPI_Waitany");
  const auto found = static_cast<std::size_t>(place);
  requests_[handles[found]] = MPI_REQUEST_NULL;
  return found;
}

void MpiMessenger::withdraw(Handle handle) {
  if (requests_[handle] == MPI_REQUEST_NULL) return;
  check(MPI_Cancel(&requests_[handle]), "MPI_Cancel");
  check(MPI_Wait(&requests_[handle], MPI_STATUS_IGNORE), "MPI_Wait");
}

}  // namespace busbar::mpi
