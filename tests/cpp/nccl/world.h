// The processes that run these tests, each with a fake GPU and the transport on a fake NCCL.
#pragma once

#include <memory>
#include <vector>

#include "gpu/platform.h"
#include "memory/gpu.h"
#include "transport/mpi_control.h"
#include "transport/mpi_world.h"
#include "transport/nccl.h"

namespace busbar::testing {

struct Process {
  explicit Process(const std::string& host)
      : world(Role::worker, host),
        controls(world.peers()),
        device(gpu::load_platform().open(world.self().value)),
        memory(*device),
        transport(nccl::make_transport(controls, *device)) {}

  int rank() const { return world.self().value; }
  std::vector<Rank> all() const {
    std::vector<Rank> members;
    for (int r = 0; r < world.workers(); ++r) members.emplace_back(r);
    return members;
  }

  mpi::World world;
  mpi::MpiControls controls;
  std::unique_ptr<gpu::Device> device;
  GpuMemory memory;
  std::unique_ptr<nccl::NcclTransport> transport;
};

/// This process's; made by main.
Process& process();

}  // namespace busbar::testing
