// What a pattern comes to, worked out once on the host: the numbers that a rank's input is computed from, and the table
// of a reduction's answers. Host loops and GPU kernels start from these.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/units.h"
#include "memory/element.h"
#include "memory/input.h"
#include "memory/pattern.h"

namespace busbar {

/// @throws std::bad_optional_access where the pattern has no operator.
element::Contributed contributed(const Pattern& pattern, Rank rank);

/// For a pattern without an operator.
element::Moved moved(const Pattern& pattern, Rank rank);

/// What elements `first` … `first` + `count` − 1 of the reduction's result may be, for count ≤ element::period; from
/// there on they repeat. Made for every type of with_type.
/// @throws std::bad_optional_access where the pattern has no operator.
template <class T>
std::vector<element::Accepted<T>> accepted_answers(const Pattern& pattern, std::uint64_t first, std::size_t count);

}  // namespace busbar
