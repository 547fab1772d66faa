// bidirectional: the first and the last rank send each other a message at once. Figures are per direction.
#include "collectives/collective.h"
#include "collectives/schedules/steps.h"

namespace busbar::collectives {
namespace {

class Bidirectional final : public Collective {
 public:
  Traits traits() const override {
    return {.name = "bidirectional",
            .summary = "the first and the last rank send each other a message at once; per direction",
            .point_to_point = true,
            .min_ranks = 2};
  }

  double bus_factor(int) const override { return 1.0; }

  Layout layout(const Shape& shape, Rank self) const override {
    if (!peer(shape, self)) return {};
    return {.send = shape.elements, .recv = shape.elements, .input = shape.elements};
  }

  Answer answer(const Shape& shape, Rank self) const override {
    if (!peer(shape, self)) return {};
    return {{.offset = 0, .count = shape.elements, .from = peer(shape, self)}};
  }

  Schedule schedule(const Shape& shape, Rank self) const override {
    Schedule schedule;
    if (const auto other = peer(shape, self)) {
      schedules::append_exchange(schedule, *other, {BufferId::send, 0, shape.elements}, *other,
                                 {BufferId::recv, 0, shape.elements});
    }
    return schedule;
  }

 private:
  /// Nobody, for the ranks in between.
  static std::optional<Rank> peer(const Shape& shape, Rank self) {
    if (self.value == 0) return Rank{shape.ranks - 1};
    if (self.value == shape.ranks - 1) return Rank{0};
    return std::nullopt;
  }
};

}  // namespace

const Collective& bidirectional() {
  static const Bidirectional instance;
  return instance;
}

}  // namespace busbar::collectives
