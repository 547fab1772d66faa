// Who hangs on whom: reduction trees over the processes of a launch.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/units.h"

namespace busbar::tree {

/// A process of the launch, by its number.
struct Place {
  std::string host;
  Role role = Role::worker;
};

/// The process above each process; the top has none. One such map is one tree.
using Wiring = std::map<ProcessId, ProcessId>;

/// The trees that `texts` describe, one each: "host1=leaf1,host2=leaf1,leaf1=spine", child=parent by host. A tree
/// takes, on every host that is a parent, the next aggregator that no tree before it took. Without texts every
/// aggregator is the top of a tree of its own, and all workers hang on it.
/// @throws UsageError naming what is wrong and what is accepted.
std::vector<Wiring> wire(const std::vector<std::string>& texts, const std::vector<Place>& processes);

/// What hangs on a node: a worker, or another node and all workers below it.
struct Child {
  ProcessId process;
  std::vector<Rank> ranks;  ///< of the group, rising

  bool has(Rank rank) const;
};

/// An aggregation node that takes part. Children come in the order of their first ranks: contributions are combined in
/// this order, whenever they arrive.
struct Node {
  ProcessId process;
  std::optional<ProcessId> parent{};
  std::vector<Child> children{};
};

/// A tree cut down to what one group needs.
struct Tree {
  std::vector<Node> nodes;         ///< the top first
  std::vector<ProcessId> parents;  ///< of each rank of the group
  int levels = 0;                  ///< of aggregation
};

/// The part of a tree that lies above `members` (processes, in rank order), with its top at the lowest node that is
/// above them all.
Tree prune(const Wiring& wiring, const std::vector<ProcessId>& members);

}  // namespace busbar::tree
