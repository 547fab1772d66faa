// reduce: the root ends with the reduction of all ranks' vectors.
#include <algorithm>
#include <ranges>
#include <utility>

#include "collectives/collective.h"
#include "collectives/schedules/steps.h"
#include "collectives/schedules/tree.h"

namespace busbar::collectives {
namespace {

class Reduce final : public Collective {
 public:
  Traits traits() const override {
    return {.name = "reduce",
            .summary = "the root gets the reduction of all ranks' vectors",
            .reduces = true,
            .rooted = true,
            .in_place = true,
            .tree = TreeFlow::reduce_to_owner};
  }

  double bus_factor(int) const override { return 1.0; }

  Layout layout(const Shape& shape, Rank self) const override {
    if (shape.in_place) return {.recv = shape.elements, .input = shape.elements};
    return {.send = shape.elements, .recv = self == shape.root ? shape.elements : 0, .input = shape.elements};
  }

  Answer answer(const Shape& shape, Rank self) const override {
    if (self != shape.root) return {};
    return {{.offset = 0, .count = shape.elements, .from = std::nullopt}};
  }

  /// Binomial tree, the smallest subtree first because it is ready first. Only the root may write recv; the others
  /// gather their subtree's partial result in scratch, so that nobody's input is spoiled.
  Schedule schedule(const Shape& shape, Rank self) const override {
    using namespace schedules;
    const TreeNode node = binomial_tree(self, shape.root, shape.ranks);
    const std::size_t count = shape.elements;
    const Span input{shape.in_place ? BufferId::recv : BufferId::send, 0, count};
    const Span result{node.parent ? BufferId::scratch : BufferId::recv, 0, count};
    const bool input_is_result = shape.in_place && !node.parent;
    const Span incoming{BufferId::scratch, node.parent ? count : 0, count};

    Schedule schedule;
    bool started = input_is_result;  // whether `result` already holds a partial result
    for (const Rank child : std::views::reverse(node.children)) {
      const Span landing = started ? incoming : result;
      Step step;
      add_receive(step, child, landing);
      add_work(step.after, started ? schedules::reduce(incoming, result) : schedules::reduce(input, result));
      append(schedule, std::move(step));
      started = true;
      if (landing.buffer == BufferId::scratch) {
        schedule.scratch_elements = std::max(schedule.scratch_elements, landing.offset + count);
      }
    }
    if (node.parent) {
      append_send(schedule, *node.parent, started ? result : input);
      return schedule;
    }
    if (!started) append_work(schedule, copy(input, result));
    if (shape.average) append_work(schedule, average(result));
    return schedule;
  }
};

}  // namespace

const Collective& reduce() {
  static const Reduce instance;
  return instance;
}

}  // namespace busbar::collectives
