// all_to_all: chunk p of rank r's vector becomes chunk r of rank p's.
#include "collectives/collective.h"
#include "collectives/schedules/steps.h"

namespace busbar::collectives {
namespace {

class AllToAll final : public Collective {
 public:
  Traits traits() const override {
    return {.name = "all_to_all", .summary = "every rank sends one chunk to every rank", .chunked = true};
  }

  double bus_factor(int ranks) const override { return 1.0 * (ranks - 1) / ranks; }

  Layout layout(const Shape& shape, Rank) const override {
    return {.send = shape.elements, .recv = shape.elements, .input = shape.elements};
  }

  Answer answer(const Shape& shape, Rank self) const override {
    const std::size_t chunk = shape.chunk();
    Answer answer;
    for (int rank = 0; rank < shape.ranks; ++rank) {
      answer.push_back(
          {static_cast<std::size_t>(rank) * chunk, chunk, Rank{rank}, static_cast<std::size_t>(self.value) * chunk});
    }
    return answer;
  }

  /// Pairwise: in step d everyone sends to the rank d further on and receives from the one d before.
  Schedule schedule(const Shape& shape, Rank self) const override {
    using namespace schedules;
    const Chunks send(BufferId::send, shape.elements, shape.ranks);
    const Chunks recv(BufferId::recv, shape.elements, shape.ranks);
    Schedule schedule;
    append_work(schedule, copy(send[self.value], recv[self.value]));
    for (int distance = 1; distance < shape.ranks; ++distance) {
      const int to = wrap(self.value + distance, shape.ranks);
      const int from = wrap(self.value - distance, shape.ranks);
      append_exchange(schedule, Rank{to}, send[to], Rank{from}, recv[from]);
    }
    return schedule;
  }
};

}  // namespace

const Collective& all_to_all() {
  static const AllToAll instance;
  return instance;
}

}  // namespace busbar::collectives
