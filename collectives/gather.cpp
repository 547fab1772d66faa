// gather: the root ends with all ranks' chunks in rank order.
#include <utility>

#include "collectives/collective.h"
#include "collectives/schedules/steps.h"

namespace busbar::collectives {
namespace {

class Gather final : public Collective {
 public:
  Traits traits() const override {
    return {.name = "gather",
            .summary = "the root gets all ranks' chunks, in rank order",
            .rooted = true,
            .in_place = true,
            .chunked = true};
  }

  double bus_factor(int ranks) const override { return 1.0 * (ranks - 1) / ranks; }

  Layout layout(const Shape& shape, Rank self) const override {
    const std::size_t chunk = shape.chunk();
    const bool root = self == shape.root;
    if (!shape.in_place) return {.send = chunk, .recv = root ? shape.elements : 0, .input = chunk};
    if (!root) return {.recv = chunk, .input = chunk};
    return {.recv = shape.elements, .input_offset = static_cast<std::size_t>(self.value) * chunk, .input = chunk};
  }

  Answer answer(const Shape& shape, Rank self) const override {
    Answer answer;
    if (self != shape.root) return answer;
    for (int rank = 0; rank < shape.ranks; ++rank) {
      answer.push_back({static_cast<std::size_t>(rank) * shape.chunk(), shape.chunk(), Rank{rank}, 0});
    }
    return answer;
  }

  /// Linear: everyone sends to the root at once.
  Schedule schedule(const Shape& shape, Rank self) const override {
    using namespace schedules;
    const Span input{shape.in_place ? BufferId::recv : BufferId::send, 0, shape.chunk()};
    Schedule schedule;
    if (self != shape.root) {
      append_send(schedule, shape.root, input);
      return schedule;
    }
    const Chunks result(BufferId::recv, shape.elements, shape.ranks);
    Step step;
    if (!shape.in_place) add_work(step.before, copy(input, result[self.value]));
    for (int rank = 0; rank < shape.ranks; ++rank) {
      if (Rank{rank} != self) add_receive(step, Rank{rank}, result[rank]);
    }
    append(schedule, std::move(step));
    return schedule;
  }
};

}  // namespace

const Collective& gather() {
  static const Gather instance;
  return instance;
}

}  // namespace busbar::collectives
