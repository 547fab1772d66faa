// Small words for writing schedules: chunks of a buffer, and steps that leave out what is empty.
#pragma once

#include <cstddef>
#include <vector>

#include "collectives/schedule.h"

namespace busbar::schedules {

/// Any whole number brought into 0 … ranks−1: the neighbours of a rank on a ring.
constexpr int wrap(int rank, int ranks) { return ((rank % ranks) + ranks) % ranks; }

/// A stretch of a buffer cut into one chunk per rank. Where the elements do not divide evenly, the first chunks are
/// one element longer; chunks may be empty.
class Chunks {
 public:
  Chunks(BufferId buffer, std::size_t elements, int ranks) : buffer_(buffer), elements_(elements), ranks_(ranks) {}

  /// Chunk `index`, counted around the ring.
  Span operator[](int index) const;
  std::size_t largest() const { return (elements_ + ranks() - 1) / ranks(); }
  int count() const { return ranks_; }

 private:
  std::size_t ranks() const { return static_cast<std::size_t>(ranks_); }

  BufferId buffer_;
  std::size_t elements_;
  int ranks_;
};

/// Each adds its part unless the span is empty. `append` adds the step unless nothing is in it. Sender and receiver
/// know the same counts, so both leave out the same messages.
void add_send(Step& step, Rank to, Span data);
void add_receive(Step& step, Rank from, Span data);
void append(Schedule& schedule, Step step);

/// Works that stand in a step's `before` or `after`.
LocalWork copy(Span source, Span destination);
LocalWork reduce(Span source, Span destination);
LocalWork average(Span destination);
void add_work(std::vector<LocalWork>& works, const LocalWork& work);

/// Steps of one kind, appended at once.
void append_work(Schedule& schedule, const LocalWork& work);
void append_send(Schedule& schedule, Rank to, Span data);
void append_receive(Schedule& schedule, Rank from, Span data);
void append_exchange(Schedule& schedule, Rank to, Span outgoing, Rank from, Span incoming);

}  // namespace busbar::schedules
