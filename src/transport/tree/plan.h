// What a reduction tree carries, chunk by chunk. Every chunk is one message from each process to the one above it and
// one back; either may be empty. So every operation is the same exchange, and what comes down is the leave to send the
// chunk that is a window further: no node needs memory for more than that.
#pragma once

#include <cstddef>
#include <optional>

#include "collectives/collective.h"
#include "core/datatype.h"
#include "core/units.h"

namespace busbar::tree {

/// An operation as a tree sees it; the same on all its processes.
struct Job {
  TreeFlow flow = TreeFlow::none;
  DataType type = DataType::float32;
  RedOp redop = RedOp::sum;  ///< avg: the top divides the sum
  int ranks = 1;
  std::optional<Rank> root{};  ///< the owner of everything, where there is one
  bool blocks = false;         ///< rank r owns the r-th of `ranks` equal blocks
  std::size_t elements = 0;    ///< of the whole vector
  std::size_t chunk = 1;       ///< elements of a full chunk
  std::size_t window = 1;      ///< chunks in flight on one tree
  bool payload = true;         ///< without it messages have their lengths and nothing in them
};

/// A stretch of the vector.
struct Chunk {
  std::size_t offset = 0;           ///< first element, in the whole vector
  std::size_t offset_in_block = 0;  ///< the same within its owner's block
  std::size_t count = 0;            ///< elements; 0 where the operation carries none
  std::optional<Rank> owner{};
};

/// The chunks of a job in the order in which they travel. Blocks take turns, so that all owners' links are busy.
class Plan {
 public:
  explicit Plan(const Job& job);

  const Job& job() const { return job_; }
  std::size_t chunks() const { return blocks_ * pieces_; }
  Chunk at(std::size_t index) const;

  /// Whether the message up from a branch carries the chunk; `owner_below`: its owner is in that branch.
  bool carries_up(bool owner_below) const { return job_.flow != TreeFlow::owner_to_all || owner_below; }
  /// Whether the message down to a branch carries the chunk. A branch with the owner has the owner's data already.
  bool carries_down(bool owner_below) const {
    if (job_.flow == TreeFlow::reduce_to_all) return true;
    return owner_below == (job_.flow == TreeFlow::reduce_to_owner);
  }
  bool reduces() const { return job_.flow != TreeFlow::owner_to_all; }

 private:
  Job job_;
  std::size_t blocks_ = 1;
  std::size_t block_ = 0;   // elements of a block
  std::size_t pieces_ = 1;  // chunks of a block
};

}  // namespace busbar::tree
