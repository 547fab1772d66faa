// The transport `ucx`: every operation by its portable schedule, whose messages UCX (ucp) carries as tagged messages,
// writes, reads or active messages. In builds without UCX it is not there, and BUSBAR_HAS_UCX is not defined.
#pragma once

#include <memory>
#include <string>

#include "measure/control.h"
#include "memory/space.h"
#include "transport/transport.h"

namespace busbar::ucx {

/// Such as "1.13.1", of the library that is loaded.
std::string library_version();

class UcxTransport : public Transport {
 public:
  /// Host memory that all ranks can reach; outlives the transport if need be. All buffers must come from here.
  virtual std::unique_ptr<MemorySpace> memory() = 0;
};

/// Settings: `method` = tag | put | get | am; `window` = executions under way at once where none waits for another.
/// @param controls   of the launch; outlive the transport
/// @param share_core ranks outnumber cores: waiting lets others run
std::unique_ptr<UcxTransport> make_transport(Controls& controls, bool share_core);

}  // namespace busbar::ucx
