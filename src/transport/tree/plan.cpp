#include "transport/tree/plan.h"

#include <algorithm>

namespace busbar::tree {

Plan::Plan(const Job& job) : job_(job) {
  blocks_ = job.blocks ? static_cast<std::size_t>(job.ranks) : 1;
  block_ = job.elements / blocks_;
  // Without data, one empty chunk: it still tells everyone that everyone has come.
  pieces_ = std::max<std::size_t>(1, (block_ + job.chunk - 1) / job.chunk);
}

Chunk Plan::at(std::size_t index) const {
  const std::size_t block = index % blocks_;
  const std::size_t within = index / blocks_ * job_.chunk;
  Chunk chunk{.offset = block * block_ + within,
              .offset_in_block = within,
              .count = std::min(job_.chunk, block_ - within),
              .owner = job_.root};
  if (job_.blocks) chunk.owner = Rank{static_cast<int>(block)};
  return chunk;
}

}  // namespace busbar::tree
