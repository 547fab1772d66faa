// all_to_allv: every rank sends every rank a share of its own size; all_to_allv.h says which.
#include "collectives/all_to_allv.h"

#include "collectives/schedules/steps.h"

namespace busbar::collectives {
namespace {

/// The share at one distance.
std::size_t share(const Shape& shape, int distance) {
  const std::size_t even = shape.chunk();
  const bool unpaired = distance == shape.ranks - 1 && distance % 2 == 1;
  if (distance == 0 || unpaired) return even;
  return distance % 2 == 1 ? even + even / 2 : even - even / 2;
}

/// The shares at distances 0 … distance−1 together. All pairs cancel, so only an open one adds to the even shares.
std::size_t shares_before(const Shape& shape, int distance) {
  const std::size_t even = static_cast<std::size_t>(distance) * shape.chunk();
  const bool open = distance % 2 == 0 && distance > 0 && distance < shape.ranks;
  return open ? even + shape.chunk() / 2 : even;
}

class AllToAllV final : public Collective {
 public:
  Traits traits() const override {
    return {
        .name = "all_to_allv", .summary = "every rank sends every rank a share of a different size", .chunked = true};
  }

  double bus_factor(int ranks) const override { return 1.0 * (ranks - 1) / ranks; }

  Layout layout(const Shape& shape, Rank) const override {
    return {.send = shape.elements, .recv = shape.elements, .input = shape.elements};
  }

  Answer answer(const Shape& shape, Rank self) const override {
    Answer answer;
    for (int rank = 0; rank < shape.ranks; ++rank) {
      const Rank from{rank};
      answer.push_back({all_to_allv_recv_offset(shape, from, self), all_to_allv_share(shape, from, self), from,
                        all_to_allv_send_offset(shape, from, self)});
    }
    return answer;
  }

  /// Pairwise, as all_to_all.
  Schedule schedule(const Shape& shape, Rank self) const override {
    using namespace schedules;
    const auto send = [&](Rank to) {
      return Span{BufferId::send, all_to_allv_send_offset(shape, self, to), all_to_allv_share(shape, self, to)};
    };
    const auto recv = [&](Rank from) {
      return Span{BufferId::recv, all_to_allv_recv_offset(shape, from, self), all_to_allv_share(shape, from, self)};
    };
    Schedule schedule;
    append_work(schedule, copy(send(self), recv(self)));
    for (int distance = 1; distance < shape.ranks; ++distance) {
      const Rank to{wrap(self.value + distance, shape.ranks)};
      const Rank from{wrap(self.value - distance, shape.ranks)};
      append_exchange(schedule, to, send(to), from, recv(from));
    }
    return schedule;
  }
};

}  // namespace

std::size_t all_to_allv_share(const Shape& shape, Rank from, Rank to) {
  return share(shape, schedules::wrap(to.value - from.value, shape.ranks));
}

// Receivers 0, 1, … stand at distances n−from, n−from+1, … until the distance wraps to 0 at `from` itself.
std::size_t all_to_allv_send_offset(const Shape& shape, Rank from, Rank to) {
  const int n = shape.ranks;
  const std::size_t skipped = shares_before(shape, n - from.value);
  if (to.value < from.value) return shares_before(shape, n - from.value + to.value) - skipped;
  return shape.elements - skipped + shares_before(shape, to.value - from.value);
}

// Senders 0, 1, … stand at distances to, to−1, … 0, and then n−1, n−2, …
std::size_t all_to_allv_recv_offset(const Shape& shape, Rank from, Rank to) {
  const int n = shape.ranks;
  const std::size_t up_to_self = shares_before(shape, to.value + 1);
  if (from.value <= to.value) return up_to_self - shares_before(shape, to.value - from.value + 1);
  return up_to_self + shape.elements - shares_before(shape, n - from.value + to.value + 1);
}

AllToAllVCounts all_to_allv_counts(const Shape& shape, Rank self) {
  AllToAllVCounts counts;
  for (int rank = 0; rank < shape.ranks; ++rank) {
    const Rank peer{rank};
    counts.send_counts.push_back(all_to_allv_share(shape, self, peer));
    counts.send_displacements.push_back(all_to_allv_send_offset(shape, self, peer));
    counts.recv_counts.push_back(all_to_allv_share(shape, peer, self));
    counts.recv_displacements.push_back(all_to_allv_recv_offset(shape, peer, self));
  }
  return counts;
}

const Collective& all_to_allv() {
  static const AllToAllV instance;
  return instance;
}

}  // namespace busbar::collectives
