#include "collectives/schedules/ring.h"

#include <algorithm>
#include <utility>

namespace busbar::schedules {
namespace {

struct Neighbours {
  Rank next;
  Rank previous;
};

Neighbours neighbours(int self, int ranks) { return {Rank{wrap(self + 1, ranks)}, Rank{wrap(self - 1, ranks)}}; }

}  // namespace

void ring_reduce_scatter(Schedule& schedule, const Chunks& input, int self, const Accumulator& accumulator) {
  const auto [next, previous] = neighbours(self, input.count());
  Span outgoing = input[self - 1];
  for (int i = 0; i < input.count() - 1; ++i) {
    const int chunk = wrap(self - i - 2, input.count());
    const Span incoming = accumulator(i, chunk);
    Step step;
    add_send(step, next, outgoing);
    add_receive(step, previous, incoming);
    add_work(step.after, reduce(input[chunk], incoming));
    append(schedule, std::move(step));
    outgoing = incoming;
  }
}

void ring_reduce_scatter_in_place(Schedule& schedule, const Chunks& data, int self) {
  const auto [next, previous] = neighbours(self, data.count());
  if (data.count() > 1) schedule.scratch_elements = std::max(schedule.scratch_elements, data.largest());
  for (int i = 0; i < data.count() - 1; ++i) {
    const Span mine = data[self - i - 2];
    const Span incoming{BufferId::scratch, 0, mine.count};
    Step step;
    add_send(step, next, data[self - i - 1]);
    add_receive(step, previous, incoming);
    add_work(step.after, reduce(incoming, mine));
    append(schedule, std::move(step));
  }
}

void ring_all_gather(Schedule& schedule, const Chunks& data, int self) {
  const auto [next, previous] = neighbours(self, data.count());
  for (int i = 0; i < data.count() - 1; ++i) {
    append_exchange(schedule, next, data[self - i], previous, data[self - i - 1]);
  }
}

}  // namespace busbar::schedules
