// send_recv: a ring of neighbours, all at once: each rank sends to the next and receives from the previous one.
#include "collectives/collective.h"
#include "collectives/schedules/steps.h"

namespace busbar::collectives {
namespace {

class SendRecv final : public Collective {
 public:
  Traits traits() const override {
    return {.name = "send_recv",
            .summary = "every rank sends to the next rank and receives from the previous one",
            .point_to_point = true};
  }

  double bus_factor(int) const override { return 1.0; }

  Layout layout(const Shape& shape, Rank) const override {
    return {.send = shape.elements, .recv = shape.elements, .input = shape.elements};
  }

  Answer answer(const Shape& shape, Rank self) const override {
    return {{.offset = 0, .count = shape.elements, .from = Rank{schedules::wrap(self.value - 1, shape.ranks)}}};
  }

  Schedule schedule(const Shape& shape, Rank self) const override {
    using namespace schedules;
    const Span send{BufferId::send, 0, shape.elements};
    const Span recv{BufferId::recv, 0, shape.elements};
    const Rank next{wrap(self.value + 1, shape.ranks)};
    const Rank previous{wrap(self.value - 1, shape.ranks)};
    Schedule schedule;
    if (shape.ranks == 1) {
      append_work(schedule, copy(send, recv));
    } else {
      append_exchange(schedule, next, send, previous, recv);
    }
    return schedule;
  }
};

}  // namespace

const Collective& send_recv() {
  static const SendRecv instance;
  return instance;
}

}  // namespace busbar::collectives
