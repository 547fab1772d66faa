// Element-wise arithmetic on host memory, for schedules that reduce in software.
#pragma once

#include <cstddef>
#include <span>

#include "core/datatype.h"

namespace busbar {

/// destination[i] = destination[i] ∘ source[i] for `count` elements; avg adds, see average_in_place; premulsum
/// adds what its ranks have multiplied before. Integers wrap; floating-point types narrower than float are computed in
/// float and rounded to nearest. The two stretches must be aligned and must not overlap.
void reduce_into(DataType type, RedOp redop, std::byte* destination, const std::byte* source, std::size_t count);

/// The same with several sources, in their order, so that the result does not depend on who came first: every source is
/// read once, in blocks that keep the destination in the first-level cache.
void reduce_all_into(DataType type, RedOp redop, std::byte* destination, std::span<const std::byte* const> sources,
                     std::size_t count);

/// data[i] /= ranks for `count` elements: the second half of avg. Integers round towards zero.
void average_in_place(DataType type, std::byte* data, std::size_t count, int ranks);

}  // namespace busbar
