// What a process measures with: a library, memory, perhaps a GPU.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "bench/wanted.h"
#include "gpu/platform.h"
#include "memory/space.h"
#include "transport/mpi_world.h"
#include "transport/transport.h"

namespace busbar {

/// In the order in which its parts rest on each other.
struct Equipment {
  std::unique_ptr<gpu::Device> gpu;  ///< null: host memory
  std::unique_ptr<MemorySpace> memory;
  std::unique_ptr<Transport> transport;
  std::unique_ptr<MemorySpace> symmetric_memory;  ///< for symmetric registration; null where the library has none
  std::map<std::string, std::string> versions{};
  bool fake = false;  ///< nothing it measures is real
};

/// Collective over the workers. @throws UsageError where this build or this machine does not have it.
using Outfitter = std::function<Equipment(const mpi::World& world, const Wanted& wanted)>;

/// What this build has.
Equipment equip(const mpi::World& world, const Wanted& wanted);

}  // namespace busbar
