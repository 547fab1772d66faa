// What libnccl-fake.so exports: as much of NCCL's interface as the transport loads. It looks like NCCL but for one
// name, `busbar_fake_nccl`, by which records made with it are marked.
#include <nccl.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "fakes/nccl/batch.h"
#include "fakes/nccl/communicator.h"
#include "fakes/nccl/execute.h"
#include "fakes/nccl/fault.h"

using namespace busbar::nccl::fake;

#define FAKE __attribute__((visibility("default")))

namespace {

/// NCCL would leave the GPU's mappings behind; a test wants to know.
void require_nothing_left(ncclComm_t comm) {
  if (comm->registered.empty() && comm->operators.empty()) return;
  std::fprintf(stderr, "fake NCCL: a communicator ends with %zu buffers registered and %zu operators\n",
               comm->registered.size(), comm->operators.size());
  std::abort();
}

void* add_registration(ncclComm_t comm) {
  void* const handle = std::malloc(1);
  comm->registered.insert(handle);
  return handle;
}

ncclResult_t remove_registration(ncclComm_t comm, void* handle) {
  if (comm->registered.erase(handle) == 0) return fail(ncclInvalidArgument, "this buffer is not registered");
  std::free(handle);
  return ncclSuccess;
}

bool alike_on_all_ranks(const ncclComm& comm, size_t size) {
  for (int rank = 0; rank < comm.ranks; ++rank) comm.send(rank, std::as_bytes(std::span{&size, 1}));
  bool alike = true;
  for (int rank = 0; rank < comm.ranks; ++rank) {
    size_t other = 0;
    const Post::Letter letter = comm.receive(rank);
    std::memcpy(&other, letter.data(), sizeof(other));
    alike = alike && other == size;
  }
  Post::of_process().flush();
  return alike;
}

}  // namespace

extern "C" {

FAKE extern const int busbar_fake_nccl;
const int busbar_fake_nccl = 1;

FAKE ncclResult_t ncclGetVersion(int* code) {
  *code = version();
  return ncclSuccess;
}

FAKE const char* ncclGetErrorString(ncclResult_t result) {
  switch (result) {
    case ncclSuccess: return "no error";
    case ncclUnhandledCudaError: return "unhandled cuda error (run with NCCL_DEBUG=INFO for details)";
    case ncclSystemError: return "unhandled system error (run with NCCL_DEBUG=INFO for details)";
    case ncclInternalError: return "internal error - please report this issue to the NCCL developers";
    case ncclInvalidArgument: return "invalid argument (run with NCCL_DEBUG=WARN for details)";
    case ncclInvalidUsage: return "invalid usage (run with NCCL_DEBUG=WARN for details)";
    case ncclRemoteError: return "remote process exited or there was a network error";
    default: return "unknown result code";
  }
}

FAKE const char* ncclGetLastError(ncclComm_t) { return last_error().c_str(); }
FAKE ncclResult_t ncclGetUniqueId(ncclUniqueId* id) { return make_id(*id); }

FAKE ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int ranks, ncclUniqueId id, int rank, ncclConfig_t* config) {
  return make_communicator(*comm, ranks, id, rank, *config);
}

FAKE ncclResult_t ncclCommDestroy(ncclComm_t comm) {
  require_nothing_left(comm);
  free_communicator(comm);
  return ncclSuccess;
}

FAKE ncclResult_t ncclCommAbort(ncclComm_t comm) {
  // Others may not abort theirs.
  for (void* const handle : comm->registered) std::free(handle);
  free_communicator(comm);
  return ncclSuccess;
}

FAKE ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t* state) {
  *state = comm->async;
  return ncclSuccess;
}

FAKE ncclResult_t ncclMemAlloc(void** memory, size_t size) {
  if (has_fault("oom")) return fail(ncclUnhandledCudaError, "Cuda failure 2 'out of memory'");
  constexpr size_t page = 4096;
  *memory = std::aligned_alloc(page, (size / page + 1) * page);
  return *memory == nullptr ? ncclSystemError : ncclSuccess;
}

FAKE ncclResult_t ncclMemFree(void* memory) {
  std::free(memory);
  return ncclSuccess;
}

FAKE ncclResult_t ncclCommRegister(const ncclComm_t comm, void*, size_t, void** handle) {
  *handle = add_registration(comm);
  return ncclSuccess;
}

FAKE ncclResult_t ncclCommDeregister(const ncclComm_t comm, void* handle) { return remove_registration(comm, handle); }

#if NCCL_VERSION_CODE >= NCCL_VERSION(2, 27, 0)
FAKE ncclResult_t ncclCommWindowRegister(ncclComm_t comm, void* memory, size_t size, ncclWindow_t* window, int) {
  if (reinterpret_cast<uintptr_t>(memory) % 4096 != 0) {
    return fail(ncclInvalidArgument, "Window address must be suitably aligned.");
  }
  if (!alike_on_all_ranks(*comm, size)) {
    return fail(ncclInvalidArgument, "the window has another size on another rank");
  }
  *window = static_cast<ncclWindow_t>(add_registration(comm));
  return ncclSuccess;
}

FAKE ncclResult_t ncclCommWindowDeregister(ncclComm_t comm, ncclWindow_t window) {
  return remove_registration(comm, window);
}
#endif

FAKE ncclResult_t ncclRedOpCreatePreMulSum(ncclRedOp_t* op, void* scalar, ncclDataType_t type,
                                           ncclScalarResidence_t residence, ncclComm_t comm) {
  if (!has_datatype(type)) return fail(ncclInvalidArgument, "invalid type");
  if (residence != ncclScalarHostImmediate) return fail(ncclInvalidArgument, "the fake has no scalars on the device");
  PreMulSum made{type, {}};
  std::memcpy(made.scalar.data(), scalar, element_bytes(type));
  *op = static_cast<ncclRedOp_t>(comm->next_operator++);
  comm->operators[*op] = made;
  return ncclSuccess;
}

FAKE ncclResult_t ncclRedOpDestroy(ncclRedOp_t op, ncclComm_t comm) {
  return comm->operators.erase(op) == 1 ? ncclSuccess : fail(ncclInvalidArgument, "there is no such operator");
}

FAKE ncclResult_t ncclAllReduce(const void* input, void* output, size_t count, ncclDataType_t type, ncclRedOp_t op,
                                ncclComm_t comm, cudaStream_t stream) {
  return submit({Kind::all_reduce, input, output, count, type, op, 0, comm, stream});
}

FAKE ncclResult_t ncclReduce(const void* input, void* output, size_t count, ncclDataType_t type, ncclRedOp_t op,
                             int root, ncclComm_t comm, cudaStream_t stream) {
  return submit({Kind::reduce, input, output, count, type, op, root, comm, stream});
}

FAKE ncclResult_t ncclBroadcast(const void* input, void* output, size_t count, ncclDataType_t type, int root,
                                ncclComm_t comm, cudaStream_t stream) {
  return submit({Kind::broadcast, input, output, count, type, ncclSum, root, comm, stream});
}

FAKE ncclResult_t ncclAllGather(const void* input, void* output, size_t count, ncclDataType_t type, ncclComm_t comm,
                                cudaStream_t stream) {
  return submit({Kind::all_gather, input, output, count, type, ncclSum, 0, comm, stream});
}

FAKE ncclResult_t ncclReduceScatter(const void* input, void* output, size_t count, ncclDataType_t type, ncclRedOp_t op,
                                    ncclComm_t comm, cudaStream_t stream) {
  return submit({Kind::reduce_scatter, input, output, count, type, op, 0, comm, stream});
}

FAKE ncclResult_t ncclAlltoAll(const void* input, void* output, size_t count, ncclDataType_t type, ncclComm_t comm,
                               cudaStream_t stream) {
  return submit({Kind::all_to_all, input, output, count, type, ncclSum, 0, comm, stream});
}

FAKE ncclResult_t ncclGather(const void* input, void* output, size_t count, ncclDataType_t type, int root,
                             ncclComm_t comm, cudaStream_t stream) {
  return submit({Kind::gather, input, output, count, type, ncclSum, root, comm, stream});
}

FAKE ncclResult_t ncclScatter(const void* input, void* output, size_t count, ncclDataType_t type, int root,
                              ncclComm_t comm, cudaStream_t stream) {
  return submit({Kind::scatter, input, output, count, type, ncclSum, root, comm, stream});
}

FAKE ncclResult_t ncclSend(const void* input, size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
                           cudaStream_t stream) {
  return submit({Kind::send, input, nullptr, count, type, ncclSum, peer, comm, stream});
}

FAKE ncclResult_t ncclRecv(void* output, size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
                           cudaStream_t stream) {
  return submit({Kind::recv, nullptr, output, count, type, ncclSum, peer, comm, stream});
}

FAKE ncclResult_t ncclGroupStart() {
  begin_group();
  return ncclSuccess;
}

FAKE ncclResult_t ncclGroupEnd() { return end_group(); }

}  // extern "C"
