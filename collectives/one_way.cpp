// one_way: the root's message to the next rank. Pipelined it is what others call bandwidth and, small, message rate;
// two ranks and both roots tell the directions of a link apart.
#include "collectives/collective.h"
#include "collectives/schedules/steps.h"

namespace busbar::collectives {
namespace {

class OneWay final : public Collective {
 public:
  Traits traits() const override {
    return {.name = "one_way",
            .summary = "the root's message to the next rank, and nothing back",
            .rooted = true,
            .point_to_point = true,
            .min_ranks = 2};
  }

  double bus_factor(int) const override { return 1.0; }

  Layout layout(const Shape& shape, Rank self) const override {
    if (self == shape.root) return {.send = shape.elements, .input = shape.elements};
    if (self == receiver(shape)) return {.recv = shape.elements};
    return {};
  }

  Answer answer(const Shape& shape, Rank self) const override {
    if (self != receiver(shape)) return {};
    return {{.offset = 0, .count = shape.elements, .from = shape.root}};
  }

  Schedule schedule(const Shape& shape, Rank self) const override {
    using namespace schedules;
    Schedule schedule;
    if (self == shape.root) append_send(schedule, receiver(shape), {BufferId::send, 0, shape.elements});
    if (self == receiver(shape)) append_receive(schedule, shape.root, {BufferId::recv, 0, shape.elements});
    return schedule;
  }

 private:
  static Rank receiver(const Shape& shape) { return Rank{schedules::wrap(shape.root.value + 1, shape.ranks)}; }
};

}  // namespace

const Collective& one_way() {
  static const OneWay instance;
  return instance;
}

}  // namespace busbar::collectives
