// scatter: rank r ends with chunk r of the root's vector.
#include <utility>

#include "collectives/collective.h"
#include "collectives/schedules/steps.h"

namespace busbar::collectives {
namespace {

class Scatter final : public Collective {
 public:
  Traits traits() const override {
    return {.name = "scatter",
            .summary = "every rank gets its own chunk of the root's vector",
            .rooted = true,
            .in_place = true,
            .chunked = true};
  }

  double bus_factor(int ranks) const override { return 1.0 * (ranks - 1) / ranks; }

  Layout layout(const Shape& shape, Rank self) const override {
    if (self != shape.root) return {.recv = shape.chunk()};
    if (shape.in_place) return {.recv = shape.elements, .input = shape.elements};
    return {.send = shape.elements, .recv = shape.chunk(), .input = shape.elements};
  }

  Answer answer(const Shape& shape, Rank self) const override {
    const std::size_t own = static_cast<std::size_t>(self.value) * shape.chunk();
    const bool stays = shape.in_place && self == shape.root;
    return {{stays ? own : 0, shape.chunk(), shape.root, own}};
  }

  /// Linear: the root sends to everyone at once.
  Schedule schedule(const Shape& shape, Rank self) const override {
    using namespace schedules;
    const Span result{BufferId::recv, 0, shape.chunk()};
    Schedule schedule;
    if (self != shape.root) {
      append_receive(schedule, shape.root, result);
      return schedule;
    }
    const Chunks input(shape.in_place ? BufferId::recv : BufferId::send, shape.elements, shape.ranks);
    Step step;
    for (int rank = 0; rank < shape.ranks; ++rank) {
      if (Rank{rank} != self) add_send(step, Rank{rank}, input[rank]);
    }
    if (!shape.in_place) add_work(step.after, copy(input[self.value], result));
    append(schedule, std::move(step));
    return schedule;
  }
};

}  // namespace

const Collective& scatter() {
  static const Scatter instance;
  return instance;
}

}  // namespace busbar::collectives
