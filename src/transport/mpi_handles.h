// RAII for MPI's handles, and MPI's errors as exceptions.
#pragma once

#include <mpi.h>

#include <string_view>
#include <utility>
#include <vector>

#include "core/units.h"

namespace busbar::mpi {

/// @throws RuntimeError naming the call and MPI's own words unless `code` is MPI_SUCCESS.
void check(int code, std::string_view call);

/// MPI from init to finalize, both on one thread. Errors are returned, never fatal, so that they become one sentence.
class Session {
 public:
  /// @param threads how many will call MPI, at any time. @throws UsageError where MPI allows no more than one.
  Session(int* argc, char*** argv, int threads = 1);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  Session(Session&&) = delete;
  Session& operator=(Session&&) = delete;
};

/// Owns a handle that `Free` gives back; moves, never copies.
template <class Handle, int (*Free)(Handle*)>
class Owned {
 public:
  Owned() = default;
  explicit Owned(Handle handle) : handle_(handle), owned_(true) {}
  Owned(Owned&& other) noexcept : handle_(other.handle_), owned_(std::exchange(other.owned_, false)) {}
  Owned& operator=(Owned&& other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(owned_, other.owned_);
    return *this;
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() {
    // Handles that outlive MPI_Finalize are already gone.
    int finalized = 0;
    MPI_Finalized(&finalized);
    if (owned_ && finalized == 0) Free(&handle_);
  }
  Handle get() const { return handle_; }

 private:
  Handle handle_{};
  bool owned_ = false;
};

using Communicator = Owned<MPI_Comm, MPI_Comm_free>;
using Type = Owned<MPI_Datatype, MPI_Type_free>;
using Op = Owned<MPI_Op, MPI_Op_free>;

/// The same processes in a space of messages of their own. Collective over `comm`.
Communicator duplicate(MPI_Comm comm);

/// The members' own communicator, in their order. Collective over the members only: the others are elsewhere.
Communicator communicator_of(MPI_Comm workers, const std::vector<Rank>& members);

}  // namespace busbar::mpi
