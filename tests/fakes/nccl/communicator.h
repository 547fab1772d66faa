// What the fake library keeps of a communicator.
#pragma once

#include <nccl.h>

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "fakes/nccl/plugins.h"
#include "fakes/nccl/post.h"

namespace busbar::nccl::fake {

/// Of one element of any type.
using Scalar = std::array<std::byte, 8>;

/// What ncclRedOpCreatePreMulSum made.
struct PreMulSum {
  ncclDataType_t type = ncclFloat32;
  Scalar scalar{};
};

}  // namespace busbar::nccl::fake

struct ncclComm {
  busbar::nccl::fake::CommId id{};
  std::vector<int> processes{};  ///< of each rank, in MPI_COMM_WORLD
  int rank = 0;
  int ranks = 1;
  int nodes = 1;
  int channels = 2;
  bool collnet = false;
  ncclResult_t async = ncclSuccess;
  std::set<void*> registered{};
  std::map<int, busbar::nccl::fake::PreMulSum> operators{};  ///< by number; NCCL's own have lower ones
  int next_operator = ncclNumOps;
  std::unique_ptr<busbar::nccl::fake::Plugins> plugins{};

  void send(int to, std::span<const std::byte> data) const;
  busbar::nccl::fake::Post::Letter receive(int from) const;
};

namespace busbar::nccl::fake {

/// What ncclGetLastError says on this thread.
std::string& last_error();
ncclResult_t fail(ncclResult_t result, const std::string& words);

ncclResult_t make_id(ncclUniqueId& id);
ncclResult_t make_communicator(ncclComm_t& comm, int ranks, const ncclUniqueId& id, int rank,
                               const ncclConfig_t& config);
void free_communicator(ncclComm_t comm);

}  // namespace busbar::nccl::fake
