#include "transport/tree/worker.h"

#include <cstring>
#include <utility>

namespace busbar::tree {

Worker::Worker(const Plan& plan, Rank self, std::vector<ProcessId> parents, bool in_place, Messenger& messenger)
    : plan_(plan),
      self_(self),
      parents_(std::move(parents)),
      in_place_(in_place),
      messenger_(messenger),
      element_(size_of(plan.job().type)),
      in_flight_(plan.job().window * parents_.size()) {
  messenger_.reserve(2 * in_flight_);
}

void Worker::execute(const std::byte* input, std::byte* output) {
  const std::size_t chunks = plan_.chunks();
  for (std::size_t i = 0; i < chunks + in_flight_; ++i) {
    if (i >= in_flight_) finish(i - in_flight_);
    if (i < chunks) start(i, input, output);
  }
  keep_own_block(input, output);
}

void Worker::start(std::size_t index, const std::byte* input, std::byte* output) {
  const Chunk chunk = plan_.at(index);
  const ProcessId parent = parents_[index % parents_.size()];
  // Posted before the chunk leaves, so that the answer finds its place. Where that place is still being sent from, MPI
  // asks for the other order.
  if (!in_place_) messenger_.receive(receive_handle(index), parent, incoming(chunk, output));
  messenger_.send(send_handle(index), parent, outgoing(chunk, input));
  if (!in_place_) return;
  messenger_.wait(send_handle(index));
  messenger_.receive(receive_handle(index), parent, incoming(chunk, output));
}

void Worker::finish(std::size_t index) {
  messenger_.wait(receive_handle(index));
  messenger_.wait(send_handle(index));
}

std::span<const std::byte> Worker::outgoing(const Chunk& chunk, const std::byte* input) const {
  if (!plan_.carries_up(chunk.owner == self_)) return {};
  // An owner's input is its own block; a contribution is a whole vector.
  const std::size_t offset = plan_.reduces() ? chunk.offset : chunk.offset_in_block;
  return {input + offset * element_, chunk.count * element_};
}

std::span<std::byte> Worker::incoming(const Chunk& chunk, std::byte* output) const {
  if (!plan_.carries_down(chunk.owner == self_)) return {};
  const bool own_block_only = plan_.job().flow == TreeFlow::reduce_to_owner;
  const std::size_t offset = own_block_only ? chunk.offset_in_block : chunk.offset;
  return {output + offset * element_, chunk.count * element_};
}

/// What everyone gets from its owner, the owner has.
void Worker::keep_own_block(const std::byte* input, std::byte* output) const {
  const Job& job = plan_.job();
  if (job.flow != TreeFlow::owner_to_all || !job.blocks || in_place_ || !job.payload) return;
  const std::size_t bytes = job.elements / static_cast<std::size_t>(job.ranks) * element_;
  std::memcpy(output + static_cast<std::size_t>(self_.value) * bytes, input, bytes);
}

}  // namespace busbar::tree
