// The operations that NCCL itself has, by the names of collectives/.
#pragma once

#include <cstddef>
#include <string_view>

#include "transport/nccl/library.h"
#include "transport/transport.h"

namespace busbar::nccl {

/// What every native call needs, in NCCL's own terms.
struct Call {
  const Functions* nccl = nullptr;
  ncclComm_t comm = nullptr;
  cudaStream_t stream = nullptr;
  ncclDataType_t type = ncclFloat32;
  ncclRedOp_t op = ncclSum;
  int self = 0;
  int root = 0;
  std::size_t count = 0;  ///< shape.elements
  std::size_t chunk = 0;  ///< shape.elements / ranks
  std::size_t chunk_bytes = 0;
  bool in_place = false;
  std::byte* recv = nullptr;
  std::byte* scratch = nullptr;

  bool is_root() const { return self == root; }
};

struct NativeCall {
  std::string_view operation;
  std::string_view name;      ///< for people
  std::string_view function;  ///< as NCCL's profiler interface names it; empty where it is made of sends and receives
  std::size_t scratch_elements = 0;
  ncclResult_t (*issue)(const Call& call, const std::byte* input) = nullptr;
};

/// Null where this NCCL has no call of its own for the operation.
const NativeCall* native_call(const Functions& nccl, std::string_view operation);

}  // namespace busbar::nccl
