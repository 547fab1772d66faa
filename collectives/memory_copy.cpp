// memory_copy: every rank copies its send buffer to recv: the memory bandwidth that shared-memory figures rest on.
#include "collectives/collective.h"
#include "collectives/schedules/steps.h"

namespace busbar::collectives {
namespace {

class MemoryCopy final : public Collective {
 public:
  Traits traits() const override {
    return {.name = "memory_copy", .summary = "every rank copies its own memory; nothing is sent"};
  }

  double bus_factor(int) const override { return 1.0; }

  Layout layout(const Shape& shape, Rank) const override {
    return {.send = shape.elements, .recv = shape.elements, .input = shape.elements};
  }

  Answer answer(const Shape& shape, Rank self) const override {
    return {{.offset = 0, .count = shape.elements, .from = self}};
  }

  Schedule schedule(const Shape& shape, Rank) const override {
    using namespace schedules;
    Schedule schedule;
    append_work(schedule, copy({BufferId::send, 0, shape.elements}, {BufferId::recv, 0, shape.elements}));
    return schedule;
  }
};

}  // namespace

const Collective& memory_copy() {
  static const MemoryCopy instance;
  return instance;
}

}  // namespace busbar::collectives
