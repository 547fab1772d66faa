// all_reduce: every rank ends with the reduction of all ranks' vectors.
#include "collectives/collective.h"
#include "collectives/schedules/ring.h"

namespace busbar::collectives {
namespace {

class AllReduce final : public Collective {
 public:
  Traits traits() const override {
    return {.name = "all_reduce",
            .summary = "every rank gets the reduction of all ranks' vectors",
            .reduces = true,
            .in_place = true,
            .tree = TreeFlow::reduce_to_all};
  }

  double bus_factor(int ranks) const override { return 2.0 * (ranks - 1) / ranks; }

  Layout layout(const Shape& shape, Rank) const override {
    return {.send = shape.in_place ? 0 : shape.elements, .recv = shape.elements, .input = shape.elements};
  }

  Answer answer(const Shape& shape, Rank) const override {
    return {{.offset = 0, .count = shape.elements, .from = std::nullopt}};
  }

  /// Ring: reduce-scatter, then all-gather. Chunks differ by one element where the ranks do not divide the vector.
  Schedule schedule(const Shape& shape, Rank self) const override {
    using namespace schedules;
    const Chunks input(BufferId::send, shape.elements, shape.ranks);
    const Chunks result(BufferId::recv, shape.elements, shape.ranks);
    Schedule schedule;
    if (shape.in_place) {
      ring_reduce_scatter_in_place(schedule, result, self.value);
    } else if (shape.ranks == 1) {
      append_work(schedule, copy(input[0], result[0]));
    } else {
      ring_reduce_scatter(schedule, input, self.value, [&](int, int chunk) { return result[chunk]; });
    }
    if (shape.average) append_work(schedule, average(result[self.value]));
    ring_all_gather(schedule, result, self.value);
    return schedule;
  }
};

}  // namespace

const Collective& all_reduce() {
  static const AllReduce instance;
  return instance;
}

}  // namespace busbar::collectives
