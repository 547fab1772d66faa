// What a schedule says about when its messages may travel; pure reasoning, no UCX.
#pragma once

#include <cstdint>
#include <vector>

#include "collectives/schedule.h"

namespace busbar::ucx {

/// Whether executions need not wait for each other: one step, nothing computed, and nothing sent that is received.
bool streams(const Schedule& schedule);

/// When a sender may write a message into the receiver's memory without having been told that it is ready.
struct Permission {
  enum class Kind : std::uint8_t {
    always,      ///< nobody but the sender's own messages touches that memory
    when_fresh,  ///< in the first execution after all have completed; else from the start of the execution on
    when_told,   ///< from `step` of the receiver on, after that step's `before`
  };
  Kind kind = Kind::always;
  std::size_t step = 0;
};

/// Schedules of other ranks, as far as asked for.
class Schedules {
 public:
  virtual ~Schedules() = default;
  virtual const Schedule& of(Rank rank) = 0;
};

/// One for each receive of `self`'s schedule, in its order. Permissions of messages from one sender, leaving out those
/// of kind `always`, come in the order of the messages.
std::vector<Permission> permissions(Schedules& schedules, Rank self);

}  // namespace busbar::ucx
