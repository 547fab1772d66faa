// One rank's end of what carries messages between ranks: all that a control plane needs of the world below it. Ranks
// may be threads of MPI processes, or of a test.
#pragma once

#include <cstddef>
#include <span>

#include "core/units.h"

namespace busbar {

/// Keeps conversations apart: what is sent on one lane is received on no other.
struct Lane : Strong<Lane, int> {
  using Strong::Strong;
};

/// Used from its rank's own thread alone.
class Endpoint {
 public:
  virtual ~Endpoint() = default;
  /// Of the launch, as are the ranks of all calls.
  virtual Rank rank() const = 0;
  virtual int size() const = 0;

  /// May wait until the other one receives. Messages between two ranks on one lane arrive in the order they are sent.
  virtual void send(Rank to, Lane lane, std::span<const std::byte> data) = 0;
  /// Waits for a message, which must be as long as `into`.
  virtual void receive(Rank from, Lane lane, std::span<std::byte> into) = 0;
  /// Sends an empty message to one rank and receives one from another, whichever comes first: rings of ranks may call
  /// it together, where each `send` could wait for the next.
  virtual void exchange(Rank to, Rank from, Lane lane) = 0;
};

}  // namespace busbar
