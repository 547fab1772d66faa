// reduce_scatter: rank r ends with chunk r of the reduction of all ranks' vectors.
#include "collectives/collective.h"
#include "collectives/schedules/ring.h"

namespace busbar::collectives {
namespace {

class ReduceScatter final : public Collective {
 public:
  Traits traits() const override {
    return {.name = "reduce_scatter",
            .summary = "every rank gets its own chunk of the reduction of all ranks' vectors",
            .reduces = true,
            .in_place = true,
            .chunked = true,
            .tree = TreeFlow::reduce_to_owner};
  }

  double bus_factor(int ranks) const override { return 1.0 * (ranks - 1) / ranks; }

  Layout layout(const Shape& shape, Rank) const override {
    if (shape.in_place) return {.recv = shape.elements, .input = shape.elements};
    return {.send = shape.elements, .recv = shape.chunk(), .input = shape.elements};
  }

  Answer answer(const Shape& shape, Rank self) const override {
    const std::size_t own = static_cast<std::size_t>(self.value) * shape.chunk();
    return {{.offset = result(shape, self).offset, .count = shape.chunk(), .from = std::nullopt, .source_offset = own}};
  }

  Schedule schedule(const Shape& shape, Rank self) const override {
    return shape.in_place ? in_place(shape, self) : out_of_place(shape, self);
  }

 private:
  static Span result(const Shape& shape, Rank self) {
    const bool at_own_chunk = shape.in_place && shape.in_place_result == InPlaceResult::at_own_chunk;
    const auto chunk = at_own_chunk ? static_cast<std::size_t>(self.value) : 0U;
    return {BufferId::recv, chunk * shape.chunk(), shape.chunk()};
  }

  static Schedule in_place(const Shape& shape, Rank self) {
    using namespace schedules;
    const Chunks data(BufferId::recv, shape.elements, shape.ranks);
    const Span destination = result(shape, self);
    Schedule schedule;
    ring_reduce_scatter_in_place(schedule, data, self.value);
    if (destination.offset != data[self.value].offset) append_work(schedule, copy(data[self.value], destination));
    if (shape.average) append_work(schedule, average(destination));
    return schedule;
  }

  /// A partial result is sent on while the next one arrives: the two take turns in recv and scratch so that the last
  /// one arrives in recv.
  static Schedule out_of_place(const Shape& shape, Rank self) {
    using namespace schedules;
    const Chunks input(BufferId::send, shape.elements, shape.ranks);
    const Span destination = result(shape, self);
    Schedule schedule;
    if (shape.ranks == 1) append_work(schedule, copy(input[0], destination));
    if (shape.ranks > 2) schedule.scratch_elements = shape.chunk();
    ring_reduce_scatter(schedule, input, self.value, [&](int step, int) {
      const bool in_recv = (shape.ranks - 2 - step) % 2 == 0;
      return in_recv ? destination : Span{BufferId::scratch, 0, shape.chunk()};
    });
    if (shape.average) append_work(schedule, average(destination));
    return schedule;
  }
};

}  // namespace

const Collective& reduce_scatter() {
  static const ReduceScatter instance;
  return instance;
}

}  // namespace busbar::collectives
