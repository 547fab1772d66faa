// A binomial tree over any number of ranks with any root: log2(n) rounds.
#pragma once

#include <optional>
#include <vector>

#include "core/units.h"

namespace busbar::schedules {

struct TreeNode {
  std::optional<Rank> parent;  ///< none at the root
  std::vector<Rank> children;  ///< the largest subtree first
};

TreeNode binomial_tree(Rank self, Rank root, int ranks);

}  // namespace busbar::schedules
