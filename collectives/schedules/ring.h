// The two halves of ring algorithms. Every rank only talks to its neighbours, n−1 times, one chunk at a time; after the
// reduce-scatter half rank r holds the reduced chunk r, and the all-gather half starts from there.
#pragma once

#include <functional>

#include "collectives/schedules/steps.h"

namespace busbar::schedules {

/// Where a rank keeps the partial result of `chunk`, which arrives in `step` (0 … n−2).
using Accumulator = std::function<Span(int step, int chunk)>;

/// Reduces without touching `input`. The last step's accumulator (chunk `self`) holds the result. With one rank there
/// is no step.
void ring_reduce_scatter(Schedule& schedule, const Chunks& input, int self, const Accumulator& accumulator);

/// Reduces into `data`: afterwards chunk `self` is the result and the others are partial results. Needs
/// `data.largest()` elements of scratch, and asks for them.
void ring_reduce_scatter_in_place(Schedule& schedule, const Chunks& data, int self);

/// From chunk `self` of `data` on every rank to all chunks on every rank.
void ring_all_gather(Schedule& schedule, const Chunks& data, int self);

}  // namespace busbar::schedules
