// One thread of an MPI process as a worker rank. MPI knows processes only: tags tell their threads apart.
#pragma once

#include "measure/endpoint.h"
#include "transport/mpi_handles.h"

namespace busbar::mpi {

/// Worker rank p * T + t is thread t of process p, each of which has T. MPI must have been begun for so many.
class MpiEndpoint final : public Endpoint {
 public:
  /// @param processes in which nothing else sends messages; must outlive the endpoint
  MpiEndpoint(MPI_Comm processes, int thread, int threads);
  Rank rank() const override { return Rank{process_ * threads_ + thread_}; }
  int size() const override { return processes_ * threads_; }
  void send(Rank to, Lane lane, std::span<const std::byte> data) override;
  void receive(Rank from, Lane lane, std::span<std::byte> into) override;
  void exchange(Rank to, Rank from, Lane lane) override;

 private:
  int process_of(Rank rank) const { return rank.value / threads_; }
  /// @throws RuntimeError where MPI has no such high tags.
  int tag(Lane lane, Rank from, Rank to) const;

  MPI_Comm comm_;
  int thread_;
  int threads_;
  int process_ = 0;
  int processes_ = 0;
  std::int64_t highest_tag_ = 0;
};

}  // namespace busbar::mpi
