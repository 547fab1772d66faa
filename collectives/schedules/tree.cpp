#include "collectives/schedules/tree.h"

#include <bit>

#include "collectives/schedules/steps.h"

namespace busbar::schedules {

// Counted from the root, a node's parent is its number without the lowest set bit; its children add a lower bit.
TreeNode binomial_tree(Rank self, Rank root, int ranks) {
  const auto n = static_cast<unsigned>(ranks);
  const auto place = static_cast<unsigned>(wrap(self.value - root.value, ranks));
  const auto rank_at = [&](unsigned p) { return Rank{static_cast<int>((p + static_cast<unsigned>(root.value)) % n)}; };

  TreeNode node;
  const unsigned lowest_bit = place & (~place + 1U);
  if (place != 0) node.parent = rank_at(place - lowest_bit);
  const unsigned first = place == 0 ? std::bit_ceil(n) : lowest_bit;
  for (unsigned bit = first >> 1U; bit > 0; bit >>= 1U) {
    if (place + bit < n) node.children.push_back(rank_at(place + bit));
  }
  return node;
}

}  // namespace busbar::schedules
