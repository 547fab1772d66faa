#include "transport/local_work.h"

#include <cstring>

#include "memory/reduce.h"

namespace busbar {

LocalWorker::LocalWorker(const OperationSpec& spec, const Buffers& buffers, const ReductionCost* cost)
    : buffers_(buffers),
      type_(spec.type),
      redop_(spec.redop.value_or(RedOp::sum)),
      ranks_(spec.shape.ranks),
      payload_(spec.payload),
      cost_(cost),
      real_(payload_ && cost == nullptr),
      element_(size_of(spec.type)) {}

void LocalWorker::run(const LocalWork& work, int slot) const {
  if (real_) return carry_out(work, slot);
  if (payload_) carry_out(work, slot);
  if (cost_ != nullptr && work.kind == LocalWork::Kind::reduce) cost_->charge(Bytes{bytes(work.source)});
}

void LocalWorker::carry_out(const LocalWork& work, int slot) const {
  std::byte* const destination = at(work.destination, slot);
  switch (work.kind) {
    case LocalWork::Kind::copy: std::memmove(destination, at(work.source, slot), bytes(work.source)); break;
    case LocalWork::Kind::reduce:
      reduce_into(type_, redop_, destination, at(work.source, slot), work.source.count);
      break;
    case LocalWork::Kind::average: average_in_place(type_, destination, work.destination.count, ranks_); break;
  }
}

}  // namespace busbar
