// What a worker rank measures with: a library, memory, perhaps a GPU.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "bench/wanted.h"
#include "gpu/platform.h"
#include "measure/control.h"
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
  std::unique_ptr<MemorySpace> hollow_memory;     ///< for points without payload; null where messages are real
  std::map<std::string, std::string> versions{};
  bool fake = false;  ///< nothing it measures is real
};

/// Who is to be equipped: one thread of one process. All of it outlives the equipment.
struct Seat {
  const mpi::World& world;
  Controls& controls;
  int thread = 0;

  Rank rank() const { return controls.workers().rank(); }
};

/// Collective over the worker ranks. @throws UsageError where this build or this machine does not have it.
using Outfitter = std::function<Equipment(const Seat& seat, const Wanted& wanted)>;

/// What this build has.
Equipment equip(const Seat& seat, const Wanted& wanted);

}  // namespace busbar
