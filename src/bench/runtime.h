// What the engine needs of the world it runs in: ranks that can agree, a library, memory. MPI is one; tests have
// another.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gpu/platform.h"
#include "measure/clock.h"
#include "measure/control.h"
#include "memory/space.h"
#include "transport/transport.h"

namespace busbar {

class Runtime {
 public:
  virtual ~Runtime() = default;
  /// All workers of the launch.
  virtual Control& workers() = 0;
  /// The members' own control plane, in their order. Collective over the members.
  virtual std::unique_ptr<Control> control_of(const std::vector<Rank>& members) = 0;
  virtual Transport& transport() = 0;
  virtual MemorySpace& memory() = 0;
  /// Memory that buffers of symmetric registration must come from; null where the library has none.
  virtual MemorySpace* symmetric_memory() { return nullptr; }
  /// Memory that holds nothing, for points without payload; null where messages are real.
  virtual MemorySpace* hollow_memory() { return nullptr; }
  virtual const Clock& clock() = 0;
  /// Worker ranks of each process.
  virtual int threads() const { return 1; }
  /// This rank's GPU; null where it measures host memory.
  virtual gpu::Device* gpu() { return nullptr; }
  /// Of the libraries underneath, by name.
  virtual std::map<std::string, std::string> versions() { return {}; }
  /// Whether nothing that is measured here is real.
  virtual bool fake() const { return false; }
};

}  // namespace busbar
