// all_gather: every rank ends with all ranks' chunks in rank order.
#include "collectives/collective.h"
#include "collectives/schedules/ring.h"

namespace busbar::collectives {
namespace {

class AllGather final : public Collective {
 public:
  Traits traits() const override {
    return {.name = "all_gather",
            .summary = "every rank gets all ranks' chunks, in rank order",
            .in_place = true,
            .chunked = true,
            .tree = TreeFlow::owner_to_all};
  }

  double bus_factor(int ranks) const override { return 1.0 * (ranks - 1) / ranks; }

  Layout layout(const Shape& shape, Rank self) const override {
    const std::size_t own = static_cast<std::size_t>(self.value) * shape.chunk();
    return {.send = shape.in_place ? 0 : shape.chunk(),
            .recv = shape.elements,
            .input_offset = shape.in_place ? own : 0,
            .input = shape.chunk()};
  }

  Answer answer(const Shape& shape, Rank) const override {
    Answer answer;
    for (int rank = 0; rank < shape.ranks; ++rank) {
      answer.push_back({static_cast<std::size_t>(rank) * shape.chunk(), shape.chunk(), Rank{rank}, 0});
    }
    return answer;
  }

  Schedule schedule(const Shape& shape, Rank self) const override {
    using namespace schedules;
    const Chunks result(BufferId::recv, shape.elements, shape.ranks);
    Schedule schedule;
    if (!shape.in_place) append_work(schedule, copy({BufferId::send, 0, shape.chunk()}, result[self.value]));
    ring_all_gather(schedule, result, self.value);
    return schedule;
  }
};

}  // namespace

const Collective& all_gather() {
  static const AllGather instance;
  return instance;
}

}  // namespace busbar::collectives
