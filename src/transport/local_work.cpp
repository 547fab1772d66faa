#include "transport/local_work.h"

#include <cstring>

#include "memory/reduce.h"

namespace busbar {

LocalWorker::LocalWorker(const OperationSpec& spec, const Buffers& buffers)
    : buffers_(buffers),
      type_(spec.type),
      redop_(spec.redop.value_or(RedOp::sum)),
      ranks_(spec.shape.ranks),
      payload_(spec.payload),
      element_(size_of(spec.type)) {}

void LocalWorker::run(const LocalWork& work, int slot) const {
  if (!payload_) return;
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
