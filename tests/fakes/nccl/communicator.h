// What the fake library keeps of a communicator.
#pragma once

#include <mpi.h>
#include <nccl.h>

#include <memory>
#include <set>
#include <string>

#include "fakes/nccl/plugins.h"

struct ncclComm {
  MPI_Comm mpi = MPI_COMM_NULL;
  int rank = 0;
  int ranks = 1;
  int nodes = 1;
  int channels = 2;
  bool collnet = false;
  ncclResult_t async = ncclSuccess;
  std::set<void*> registered{};
  std::unique_ptr<busbar::nccl::fake::Plugins> plugins{};
};

namespace busbar::nccl::fake {

/// What ncclGetLastError says; the library's only state besides communicators.
std::string& last_error();
ncclResult_t fail(ncclResult_t result, const std::string& words);

ncclResult_t make_id(ncclUniqueId& id);
ncclResult_t make_communicator(ncclComm_t& comm, int ranks, const ncclUniqueId& id, int rank,
                               const ncclConfig_t& config);
void free_communicator(ncclComm_t comm);

}  // namespace busbar::nccl::fake
