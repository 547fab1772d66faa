#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "bench/equipment.h"
#include "core/error.h"
#include "memory/host.h"
#include "transport/mpi.h"
#ifdef BUSBAR_HAS_UCX
#include <unistd.h>

#include "observe/environment.h"
#include "transport/ucx.h"
#endif
#ifdef BUSBAR_HAS_NCCL
#include <cstdlib>
#include <set>

#include "collectives/registry.h"
#include "measure/exchange.h"
#include "memory/gpu.h"
#include "transport/nccl.h"
#endif

namespace busbar {
namespace {

#ifdef BUSBAR_HAS_NCCL
/// Worker ranks of one host take its GPUs in turn.
int gpu_of(const Seat& seat, int gpus) {
  const int threads = seat.world.threads();
  if (threads > gpus) {
    // NCCL reads NCCL_HOSTID once per process, so nothing could make it take two of its threads for two hosts.
    throw UsageError(
        fmt::format("--threads {} needs as many GPUs in each process, and this one sees {}; accepted is 1 to {}",
                    threads, gpus, gpus));
  }
  const auto& processes = seat.world.processes();
  const auto self = static_cast<std::size_t>(seat.world.self().value);
  int before = 0;
  for (std::size_t p = 0; p < self; ++p) {
    before += processes[p].host == processes[self].host && processes[p].role == Role::worker ? 1 : 0;
  }
  return (before * threads + seat.thread) % gpus;
}

/// NCCL refuses two ranks on one GPU unless it takes them for two hosts, which it tells apart by this variable, read
/// when a process makes its first communicator. (Source: NCCL 2.28, init.cc and utils.cc, getHostHash.) What the user
/// set stays.
void part_ranks_that_share_a_gpu(const Seat& seat, const gpu::DeviceInfo& mine) {
  Control& workers = seat.controls.workers();
  const auto uuids = gather_texts(workers, mine.uuid);
  const bool shared = std::set<std::string>(uuids.begin(), uuids.end()).size() < uuids.size();
  if (broadcast_text(workers, shared ? "shared" : "") != "shared") return;
  const ProcessId self = seat.world.self();
  const std::string& host = seat.world.processes()[static_cast<std::size_t>(self.value)].host;
  if (seat.thread == 0) setenv("NCCL_HOSTID", fmt::format("{}-{}", host, self.value).c_str(), /*overwrite=*/0);
  workers.barrier();  // the environment is all threads'
}

Equipment equip_with_nccl(const Seat& seat) {
  gpu::Platform& platform = gpu::platform_with_gpus();
  Equipment equipment;
  equipment.gpu = platform.open(gpu_of(seat, platform.devices()));
  part_ranks_that_share_a_gpu(seat, equipment.gpu->info());
  equipment.memory = std::make_unique<GpuMemory>(*equipment.gpu);
  auto transport = nccl::make_transport(seat.controls, *equipment.gpu);
  equipment.fake = platform.fake() || transport->fake();
  OperationSpec symmetric;
  symmetric.collective = &find_collective("all_reduce");
  symmetric.registration = Registration::symmetric;
  if (!transport->refusal(symmetric)) equipment.symmetric_memory = transport->symmetric_memory(*equipment.memory);
  equipment.transport = std::move(transport);
  equipment.versions = {{"mpi", mpi::library_version()},
                        {"nccl", equipment.transport->library_version()},
                        {"cuda", platform.runtime_version()},
                        {"driver", platform.driver_version().value_or("none")}};
  return equipment;
}
#endif

#ifdef BUSBAR_HAS_UCX
Equipment equip_with_ucx(const Seat& seat) {
  auto transport = ucx::make_transport(seat.controls, ranks_share_cores(environ));
  Equipment equipment;
  equipment.memory = transport->memory();
  equipment.transport = std::move(transport);
  equipment.versions = {{"mpi", mpi::library_version()}, {"ucx", ucx::library_version()}};
  return equipment;
}
#endif

}  // namespace

Equipment equip(const Seat& seat, const Wanted& wanted) {
#ifdef BUSBAR_HAS_NCCL
  if (wanted.transport == "nccl") return equip_with_nccl(seat);
#endif
#ifdef BUSBAR_HAS_UCX
  if (wanted.transport == "ucx") return equip_with_ucx(seat);
#endif
  if (wanted.transport != "mpi") {
    throw UsageError(fmt::format("transport '{}' is not in this build; accepted: {}", wanted.transport,
                                 fmt::join(transports(), ", ")));
  }
  Equipment equipment;
  equipment.memory = std::make_unique<HostMemory>();
  equipment.transport = mpi::make_transport(seat.world, wanted.trees, std::make_unique<mpi::LibraryOperators>());
  equipment.versions = {{"mpi", mpi::library_version()}};
  return equipment;
}

}  // namespace busbar
