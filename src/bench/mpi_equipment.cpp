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
#include "transport/mpi_control.h"
#include "transport/ucx.h"
#endif
#ifdef BUSBAR_HAS_NCCL
#include <cstdlib>
#include <set>

#include "collectives/registry.h"
#include "measure/exchange.h"
#include "memory/gpu.h"
#include "transport/mpi_control.h"
#include "transport/nccl.h"
#endif

namespace busbar {
namespace {

#ifdef BUSBAR_HAS_NCCL
/// Workers of one host take its GPUs in turn.
int gpu_of(const mpi::World& world, int gpus) {
  const auto& processes = world.processes();
  const auto self = static_cast<std::size_t>(world.self().value);
  int before = 0;
  for (std::size_t p = 0; p < self; ++p) {
    before += processes[p].host == processes[self].host && processes[p].role == Role::worker ? 1 : 0;
  }
  return before % gpus;
}

/// NCCL refuses two ranks on one GPU unless it takes them for two hosts, which it tells apart by this variable, read
/// when a process makes its first communicator. (Source: NCCL 2.28, init.cc and utils.cc, getHostHash.) What the user
/// set stays.
void part_ranks_that_share_a_gpu(const mpi::World& world, const gpu::DeviceInfo& mine) {
  mpi::MpiControl workers(world.peers());
  const auto uuids = gather_texts(workers, mine.uuid);
  const bool shared = std::set<std::string>(uuids.begin(), uuids.end()).size() < uuids.size();
  if (broadcast_text(workers, shared ? "shared" : "") != "shared") return;
  const auto& self = world.processes()[static_cast<std::size_t>(world.self().value)];
  setenv("NCCL_HOSTID", fmt::format("{}-{}", self.host, world.self().value).c_str(), /*overwrite=*/0);
}

Equipment equip_with_nccl(const mpi::World& world) {
  gpu::Platform& platform = gpu::platform_with_gpus();
  Equipment equipment;
  equipment.gpu = platform.open(gpu_of(world, platform.devices()));
  part_ranks_that_share_a_gpu(world, equipment.gpu->info());
  equipment.memory = std::make_unique<GpuMemory>(*equipment.gpu);
  auto transport = nccl::make_transport(world, *equipment.gpu);
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
Equipment equip_with_ucx(const mpi::World& world) {
  const auto control_of = [&world](const std::vector<Rank>& members) -> std::unique_ptr<Control> {
    const mpi::Communicator group = mpi::communicator_of(world.peers(), members);
    return std::make_unique<mpi::MpiControl>(group.get());
  };
  auto transport = ucx::make_transport(
      {.control_of = control_of, .ranks = world.workers(), .share_core = ranks_share_cores(environ)});
  Equipment equipment;
  equipment.memory = transport->memory();
  equipment.transport = std::move(transport);
  equipment.versions = {{"mpi", mpi::library_version()}, {"ucx", ucx::library_version()}};
  return equipment;
}
#endif

}  // namespace

Equipment equip(const mpi::World& world, const Wanted& wanted) {
#ifdef BUSBAR_HAS_NCCL
  if (wanted.transport == "nccl") return equip_with_nccl(world);
#endif
#ifdef BUSBAR_HAS_UCX
  if (wanted.transport == "ucx") return equip_with_ucx(world);
#endif
  if (wanted.transport != "mpi") {
    throw UsageError(fmt::format("transport '{}' is not in this build; accepted: {}", wanted.transport,
                                 fmt::join(transports(), ", ")));
  }
  Equipment equipment;
  equipment.memory = std::make_unique<HostMemory>();
  equipment.transport = mpi::make_transport(world, wanted.trees);
  equipment.versions = {{"mpi", mpi::library_version()}};
  return equipment;
}

}  // namespace busbar
