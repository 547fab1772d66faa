// A portable schedule: what one rank sends, receives and computes, step by step, as plain data. Any transport that has
// send and receive can execute it, a test can execute it for all ranks in one process, and theory can count its bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/units.h"

namespace busbar {

enum class BufferId : std::uint8_t { send, recv, scratch };

/// `count` elements of a buffer from element `offset` on.
struct Span {
  BufferId buffer{};
  std::size_t offset{};
  std::size_t count{};
};

struct Send {
  Rank to;
  Span data;
};

struct Receive {
  Rank from;
  Span data;
};

/// What a rank does with data it holds. `reduce`: destination = destination ∘ source. `average`: destination /= ranks
/// (source unused).
struct LocalWork {
  enum class Kind : std::uint8_t { copy, reduce, average };
  Kind kind{};
  Span source;
  Span destination;
};

/// `before` runs first, then all sends and receives of the step are in flight together, then `after` runs in order.
struct Step {
  std::vector<LocalWork> before;
  std::vector<Send> sends;
  std::vector<Receive> receives;
  std::vector<LocalWork> after;
};

struct Schedule {
  std::vector<Step> steps;
  std::size_t scratch_elements = 0;
};

}  // namespace busbar
