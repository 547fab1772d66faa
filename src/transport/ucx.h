// The transport `ucx`: every operation by its portable schedule, whose messages UCX (ucp) carries as tagged messages,
// writes, reads or active messages. In builds without UCX it is not there, and BUSBAR_HAS_UCX is not defined.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "memory/space.h"
#include "transport/transport.h"

namespace busbar::ucx {

/// Such as "1.13.1", of the library that is loaded.
std::string library_version();

/// What the transport needs of the launch that it is part of.
struct Surroundings {
  /// The members' own control plane, in their order. Collective over the members.
  std::function<std::unique_ptr<Control>(const std::vector<Rank>&)> control_of;
  int ranks = 1;
  bool share_core = false;  ///< ranks outnumber cores: waiting lets others run
};

class UcxTransport : public Transport {
 public:
  /// Host memory that all ranks can reach; outlives the transport if need be. All buffers must come from here.
  virtual std::unique_ptr<MemorySpace> memory() = 0;
};

/// Settings: `method` = tag | put | get | am; `window` = executions under way at once where none waits for another.
std::unique_ptr<UcxTransport> make_transport(Surroundings surroundings);

}  // namespace busbar::ucx
