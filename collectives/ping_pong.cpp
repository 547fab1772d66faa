// ping_pong: a message from the first rank to the last, and one of the last rank's own back. Half the round trip is
// reported. The answer is not the message that came: as in osu_latency and ucx_perftest, so that figures can be
// compared, and because reading what another core has just written is the memory's time, not the network's.
#include "collectives/collective.h"
#include "collectives/schedules/steps.h"

namespace busbar::collectives {
namespace {

class PingPong final : public Collective {
 public:
  Traits traits() const override {
    return {.name = "ping_pong",
            .summary = "a message from the first rank to the last, and one back; half the round trip",
            .point_to_point = true,
            .min_ranks = 2,
            .time_share = 0.5};
  }

  double bus_factor(int) const override { return 1.0; }

  Layout layout(const Shape& shape, Rank self) const override {
    if (self != first && self != last(shape)) return {};
    return {.send = shape.elements, .recv = shape.elements, .input = shape.elements};
  }

  Answer answer(const Shape& shape, Rank self) const override {
    if (self != first && self != last(shape)) return {};
    return {{.offset = 0, .count = shape.elements, .from = self == first ? last(shape) : first}};
  }

  Schedule schedule(const Shape& shape, Rank self) const override {
    using namespace schedules;
    const Span send{BufferId::send, 0, shape.elements};
    const Span recv{BufferId::recv, 0, shape.elements};
    Schedule schedule;
    if (self == first) {
      append_send(schedule, last(shape), send);
      append_receive(schedule, last(shape), recv);
    } else if (self == last(shape)) {
      append_receive(schedule, first, recv);
      append_send(schedule, first, send);
    }
    return schedule;
  }

 private:
  static constexpr Rank first{0};
  static Rank last(const Shape& shape) { return Rank{shape.ranks - 1}; }
};

}  // namespace

const Collective& ping_pong() {
  static const PingPong instance;
  return instance;
}

}  // namespace busbar::collectives
