// barrier: no rank leaves before all have entered. It carries no data.
#include "collectives/collective.h"
#include "collectives/schedules/steps.h"

namespace busbar::collectives {
namespace {

class Barrier final : public Collective {
 public:
  Traits traits() const override {
    return {.name = "barrier",
            .summary = "no rank leaves before all have entered",
            .has_data = false,
            .tree = TreeFlow::reduce_to_all};
  }

  double bus_factor(int) const override { return 1.0; }
  Layout layout(const Shape&, Rank) const override { return {}; }
  Answer answer(const Shape&, Rank) const override { return {}; }

  /// Dissemination: after the step with distance d every rank has heard, directly or not, from the 2d ranks before it.
  /// The messages hold one element whose value does not matter; the second element of scratch is where they arrive.
  Schedule schedule(const Shape& shape, Rank self) const override {
    using namespace schedules;
    Schedule schedule;
    for (int distance = 1; distance < shape.ranks; distance *= 2) {
      schedule.scratch_elements = 2;
      append_exchange(schedule, Rank{wrap(self.value + distance, shape.ranks)}, {BufferId::scratch, 0, 1},
                      Rank{wrap(self.value - distance, shape.ranks)}, {BufferId::scratch, 1, 1});
    }
    return schedule;
  }
};

}  // namespace

const Collective& barrier() {
  static const Barrier instance;
  return instance;
}

}  // namespace busbar::collectives
