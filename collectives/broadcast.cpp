// broadcast: the root's vector reaches every rank. The root only reads its send buffer, the others only write recv.
#include "collectives/collective.h"
#include "collectives/schedules/steps.h"
#include "collectives/schedules/tree.h"

namespace busbar::collectives {
namespace {

class Broadcast final : public Collective {
 public:
  Traits traits() const override {
    return {.name = "broadcast",
            .summary = "every rank gets the root's vector",
            .rooted = true,
            .tree = TreeFlow::owner_to_all};
  }

  double bus_factor(int) const override { return 1.0; }

  Layout layout(const Shape& shape, Rank self) const override {
    if (self == shape.root) return {.send = shape.elements, .input = shape.elements};
    return {.recv = shape.elements};
  }

  Answer answer(const Shape& shape, Rank self) const override {
    if (self == shape.root) return {};
    return {{.offset = 0, .count = shape.elements, .from = shape.root}};
  }

  /// Binomial tree; the largest subtree is served first.
  Schedule schedule(const Shape& shape, Rank self) const override {
    using namespace schedules;
    const TreeNode node = binomial_tree(self, shape.root, shape.ranks);
    const Span data{node.parent ? BufferId::recv : BufferId::send, 0, shape.elements};
    Schedule schedule;
    if (node.parent) append_receive(schedule, *node.parent, data);
    for (const Rank child : node.children) append_send(schedule, child, data);
    return schedule;
  }
};

}  // namespace

const Collective& broadcast() {
  static const Broadcast instance;
  return instance;
}

}  // namespace busbar::collectives
