// A worker's part: stream the vector up, take the result as it comes down.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "transport/tree/messenger.h"
#include "transport/tree/plan.h"

namespace busbar::tree {

class Worker {
 public:
  /// @param parents  the aggregator above this rank in each tree; chunk i travels on tree i mod their number
  /// @param in_place input and output overlap: nothing may arrive where something still has to leave
  Worker(const Plan& plan, Rank self, std::vector<ProcessId> parents, bool in_place, Messenger& messenger);

  /// One execution. `input` is this rank's contribution, `output` what it ends with; either may be null where the
  /// operation has none for this rank.
  void execute(const std::byte* input, std::byte* output);

 private:
  void start(std::size_t index, const std::byte* input, std::byte* output);
  void finish(std::size_t index);
  void keep_own_block(const std::byte* input, std::byte* output) const;
  std::span<const std::byte> outgoing(const Chunk& chunk, const std::byte* input) const;
  std::span<std::byte> incoming(const Chunk& chunk, std::byte* output) const;
  Messenger::Handle send_handle(std::size_t index) const { return 2 * (index % in_flight_); }
  Messenger::Handle receive_handle(std::size_t index) const { return send_handle(index) + 1; }

  Plan plan_;
  Rank self_;
  std::vector<ProcessId> parents_;
  bool in_place_;
  Messenger& messenger_;
  std::size_t element_;
  std::size_t in_flight_;
};

}  // namespace busbar::tree
