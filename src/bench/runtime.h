// What the engine needs of the world it runs in: ranks that can agree, a library, memory. MPI is one; tests have
// another.
#pragma once

#include <memory>
#include <vector>

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
  virtual const Clock& clock() = 0;
};

}  // namespace busbar
