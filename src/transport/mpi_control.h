// The control plane over MPI, a rank being a process, on a communicator of its own so that it never meets the
// operation's messages.
#pragma once

#include "measure/control.h"
#include "transport/mpi_handles.h"

namespace busbar::mpi {

class MpiControl final : public Control {
 public:
  /// Duplicates `comm`; collective over it.
  explicit MpiControl(MPI_Comm comm);
  Rank rank() const override { return rank_; }
  int size() const override { return size_; }
  void barrier() override;
  void broadcast(std::span<std::byte> data) override;
  std::vector<std::byte> gather(std::span<const std::byte> mine) override;
  void send(Rank to, std::span<const std::byte> data) override;
  void receive(Rank from, std::span<std::byte> data) override;

 private:
  Communicator comm_;
  Rank rank_;
  int size_ = 0;
};

class MpiControls final : public Controls {
 public:
  /// Collective over `workers`, which must outlive it.
  explicit MpiControls(MPI_Comm workers) : comm_(workers), workers_(workers) {}
  Control& workers() override { return workers_; }
  std::unique_ptr<Control> of(const std::vector<Rank>& members) override;

 private:
  MPI_Comm comm_;
  MpiControl workers_;
};

}  // namespace busbar::mpi
