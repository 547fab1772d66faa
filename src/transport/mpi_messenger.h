// A tree's messages over MPI.
#pragma once

#include <span>
#include <vector>

#include "transport/mpi_handles.h"
#include "transport/tree/messenger.h"

namespace busbar::mpi {

class MpiMessenger final : public tree::Messenger {
 public:
  /// `everyone` numbers processes; messages carry a tag of their own.
  explicit MpiMessenger(MPI_Comm everyone) : comm_(everyone) {}
  ~MpiMessenger() override;
  MpiMessenger(const MpiMessenger&) = delete;
  MpiMessenger& operator=(const MpiMessenger&) = delete;
  MpiMessenger(MpiMessenger&&) = delete;
  MpiMessenger& operator=(MpiMessenger&&) = delete;

  void reserve(std::size_t handles) override;
  void send(Handle handle, ProcessId to, std::span<const std::byte> data) override;
  void receive(Handle handle, ProcessId from, std::span<std::byte> into) override;
  void wait(Handle handle) override;
  std::size_t wait_any(std::span<const Handle> handles) override;
  void withdraw(Handle handle) override;

  /// Lets `wait_any` wait for a request that was started elsewhere; the messenger owns it from now on.
  void adopt(Handle handle, MPI_Request request) { requests_.at(handle) = request; }

 private:
  MPI_Comm comm_;
  std::vector<MPI_Request> requests_;
  std::vector<MPI_Request> candidates_;  // wait_any's, kept for its memory
};

}  // namespace busbar::mpi
