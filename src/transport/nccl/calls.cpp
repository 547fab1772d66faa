#include "transport/nccl/calls.h"

#include <array>

namespace busbar::nccl {
namespace {

ncclResult_t all_reduce(const Call& c, const std::byte* input) {
  return c.nccl->all_reduce(input, c.recv, c.count, c.type, c.op, c.comm, c.stream);
}

ncclResult_t reduce(const Call& c, const std::byte* input) {
  return c.nccl->reduce(input, c.recv, c.count, c.type, c.op, c.root, c.comm, c.stream);
}

ncclResult_t reduce_scatter(const Call& c, const std::byte* input) {
  // In place for NCCL means at the rank's own chunk: InPlaceResult::at_own_chunk.
  std::byte* const result = c.recv + (c.in_place ? static_cast<std::size_t>(c.self) * c.chunk_bytes : 0);
  return c.nccl->reduce_scatter(input, result, c.chunk, c.type, c.op, c.comm, c.stream);
}

ncclResult_t all_gather(const Call& c, const std::byte* input) {
  return c.nccl->all_gather(input, c.recv, c.chunk, c.type, c.comm, c.stream);
}

ncclResult_t broadcast(const Call& c, const std::byte* input) {
  // The root has no second buffer: in place there, which writes nothing.
  void* const recv = c.is_root() ? const_cast<std::byte*>(input) : c.recv;
  return c.nccl->broadcast(c.is_root() ? input : recv, recv, c.count, c.type, c.root, c.comm, c.stream);
}

ncclResult_t barrier(const Call& c, const std::byte* /*input*/) {
  return c.nccl->all_reduce(c.scratch, c.scratch, 1, c.type, c.op, c.comm, c.stream);
}

#if BUSBAR_NCCL_HEADER_HAS(2, 28)
ncclResult_t all_to_all(const Call& c, const std::byte* input) {
  return c.nccl->all_to_all(input, c.recv, c.chunk, c.type, c.comm, c.stream);
}

ncclResult_t gather(const Call& c, const std::byte* input) {
  return c.nccl->gather(input, c.recv, c.chunk, c.type, c.root, c.comm, c.stream);
}

ncclResult_t scatter(const Call& c, const std::byte* input) {
  const bool in_place_here = c.in_place && c.is_root();
  std::byte* const result = c.recv + (in_place_here ? static_cast<std::size_t>(c.self) * c.chunk_bytes : 0);
  return c.nccl->scatter(input, result, c.chunk, c.type, c.root, c.comm, c.stream);
}
#endif

constexpr std::array always{
    NativeCall{"all_gather", "ncclAllGather", "AllGather", 0, all_gather},
    NativeCall{"all_reduce", "ncclAllReduce", "AllReduce", 0, all_reduce},
    NativeCall{"barrier", "ncclAllReduce of one element", "AllReduce", 1, barrier},
    NativeCall{"broadcast", "ncclBroadcast", "Broadcast", 0, broadcast},
    NativeCall{"reduce", "ncclReduce", "Reduce", 0, reduce},
    NativeCall{"reduce_scatter", "ncclReduceScatter", "ReduceScatter", 0, reduce_scatter},
};

#if BUSBAR_NCCL_HEADER_HAS(2, 28)
constexpr std::array since_2_28{
    NativeCall{"all_to_all", "ncclAlltoAll", "", 0, all_to_all},
    NativeCall{"gather", "ncclGather", "", 0, gather},
    NativeCall{"scatter", "ncclScatter", "", 0, scatter},
};
#endif

template <std::size_t N>
const NativeCall* find(const std::array<NativeCall, N>& calls, std::string_view operation) {
  for (const NativeCall& call : calls) {
    if (call.operation == operation) return &call;
  }
  return nullptr;
}

}  // namespace

const NativeCall* native_call([[maybe_unused]] const Functions& nccl, std::string_view operation) {
  if (const NativeCall* const call = find(always, operation)) return call;
#if BUSBAR_NCCL_HEADER_HAS(2, 28)
  if (nccl.all_to_all != nullptr && nccl.gather != nullptr && nccl.scatter != nullptr) {
    return find(since_2_28, operation);
  }
#endif
  return nullptr;
}

}  // namespace busbar::nccl
