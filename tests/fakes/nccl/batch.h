// Operations of the fake library: gathered in groups, put on the fake GPU's stream, carried out by messages.
#pragma once

#include <nccl.h>

#include <cstddef>
#include <cstdint>

#include "fakes/nccl/communicator.h"

namespace busbar::nccl::fake {

enum class Kind : std::uint8_t {
  all_reduce,
  reduce,
  broadcast,
  all_gather,
  reduce_scatter,
  all_to_all,
  gather,
  scatter,
  send,
  recv
};

struct Task {
  Kind kind{};
  const void* input = nullptr;
  void* output = nullptr;
  std::size_t count = 0;
  ncclDataType_t type = ncclFloat32;
  ncclRedOp_t op = ncclSum;
  int peer = 0;  ///< or the root
  ncclComm_t comm = nullptr;
  cudaStream_t stream = nullptr;
  Scalar scalar{};  ///< where `op` is none of NCCL's own; put by `submit`, as the operator may be gone by then
};

/// Adds to the group that is open, else makes a group of it alone.
ncclResult_t submit(Task task);
void begin_group();
ncclResult_t end_group();

}  // namespace busbar::nccl::fake
