// The local part of a portable schedule on host memory: where its stretches lie, and copying, reducing and averaging.
#pragma once

#include "collectives/schedule.h"
#include "core/datatype.h"
#include "transport/reduction_cost.h"
#include "transport/transport.h"

namespace busbar {

class LocalWorker {
 public:
  /// @param cost of every reduction; null where reducing takes the time it takes. Must outlive the worker.
  LocalWorker(const OperationSpec& spec, const Buffers& buffers, const ReductionCost* cost = nullptr);

  std::byte* at(const Span& span, int slot) const {
    std::byte* base = buffers_.recv;
    if (span.buffer == BufferId::send) base = buffers_.input[slot];
    if (span.buffer == BufferId::scratch) base = buffers_.scratch;
    return base + span.offset * element_;
  }
  std::size_t bytes(const Span& span) const { return span.count * element_; }
  void run(const LocalWork& work, int slot) const;

 private:
  void carry_out(const LocalWork& work, int slot) const;

  Buffers buffers_;
  DataType type_;
  RedOp redop_;
  int ranks_;
  bool payload_;
  const ReductionCost* cost_;
  bool real_;  ///< neither without payload nor at a cost, so that what is measured asks one question and no more
  std::size_t element_;
};

}  // namespace busbar
