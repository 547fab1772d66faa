// What an operation is, apart from who carries it out: its buffers, its right answer, its bus factor, a portable
// schedule. One file per operation implements this; see README.md here for the table of semantics.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "collectives/schedule.h"
#include "core/datatype.h"
#include "core/units.h"

namespace busbar {

/// Where an in-place result lies when it is smaller than the buffer it shares: MPI puts reduce_scatter's chunk at the
/// start, NCCL at the rank's own chunk. The transport says which.
enum class InPlaceResult : std::uint8_t { at_start, at_own_chunk };

/// One execution, as far as sizes go. `elements` is size_bytes / size_of(type): per rank or in total, as nccl-tests
/// counts for the operation.
struct Shape {
  int ranks = 1;
  Rank root{};
  std::size_t elements = 0;
  bool in_place = false;
  InPlaceResult in_place_result = InPlaceResult::at_start;
  bool average = false;

  /// Elements per rank where `elements` is a total.
  std::size_t chunk() const { return elements / static_cast<std::size_t>(ranks); }
};

/// The elements of a rank's two buffers. In place there is no send buffer: the input lies in recv at `input_offset`.
struct Layout {
  std::size_t send = 0;
  std::size_t recv = 0;
  std::size_t input_offset = 0;
  std::size_t input = 0;  ///< elements of input, wherever they lie
};

/// A stretch of the right answer: `count` elements of recv from `offset` on equal elements `source_offset`… of the
/// input of rank `from`, or, without `from`, of the reduction of all ranks' inputs.
struct Segment {
  std::size_t offset = 0;
  std::size_t count = 0;
  std::optional<Rank> from{};
  std::size_t source_offset = 0;
};
using Answer = std::vector<Segment>;

/// What a reduction tree inside the network makes of an operation: contributions of all ranks, or the data of their one
/// owner, go up the tree, and what leaves its top goes down to all ranks, or to the owner alone. The owner is the root
/// where the operation has one, else the rank whose chunk it is.
enum class TreeFlow : std::uint8_t { none, reduce_to_all, reduce_to_owner, owner_to_all };

struct Traits {
  std::string_view name;
  std::string_view summary;  ///< one sentence for --help and --describe
  bool reduces = false;
  bool rooted = false;
  bool in_place = false;  ///< in place is possible
  bool chunked = false;   ///< size_bytes is a total: must be a multiple of ranks × element size
  bool has_data = true;   ///< barrier and null carry none: their size is 0
  bool point_to_point = false;
  TreeFlow tree = TreeFlow::none;  ///< none: a tree has nothing to do for it
  int min_ranks = 1;
  double time_share = 1.0;  ///< reported time over measured time: 0.5 for a round trip reported as one way
};

class Collective {
 public:
  virtual ~Collective() = default;
  virtual Traits traits() const = 0;
  virtual Layout layout(const Shape& shape, Rank self) const = 0;
  virtual Answer answer(const Shape& shape, Rank self) const = 0;
  virtual Schedule schedule(const Shape& shape, Rank self) const = 0;

  /// busbw = algbw × bus_factor. Source: nccl-tests doc/PERFORMANCE.md.
  virtual double bus_factor(int ranks) const = 0;

  /// Elements that algorithm bandwidth counts; `shape.elements` but for all_to_allv.
  virtual std::size_t algorithm_elements(const Shape& shape) const { return shape.elements; }
};

}  // namespace busbar
