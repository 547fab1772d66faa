// What carries messages between the processes of a tree. MPI is one; tests and the benchmark have others.
#pragma once

#include <cstddef>
#include <span>

#include "core/units.h"

namespace busbar::tree {

/// Messages from one process to another arrive in the order in which they were sent, and fill receives in the order in
/// which these were posted. A handle names one message in flight; its owner chooses the numbers, below `reserve`'s.
class Messenger {
 public:
  using Handle = std::size_t;

  virtual ~Messenger() = default;
  virtual void reserve(std::size_t handles) = 0;
  /// Starts sending; `data` must stay as it is until the handle has been waited for.
  virtual void send(Handle handle, ProcessId to, std::span<const std::byte> data) = 0;
  /// Starts receiving a message of exactly that many bytes.
  virtual void receive(Handle handle, ProcessId from, std::span<std::byte> into) = 0;
  /// Returns once the handle is no longer in flight.
  virtual void wait(Handle handle) = 0;
  /// Waits for one of these, at least one of which is in flight; returns its place in `handles`.
  virtual std::size_t wait_any(std::span<const Handle> handles) = 0;
  /// Takes back a receive for which nothing has arrived, or will.
  virtual void withdraw(Handle handle) = 0;
};

}  // namespace busbar::tree
