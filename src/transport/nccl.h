// The transport `nccl`: every operation by NCCL's own call, or by its portable schedule as grouped sends and receives.
// In builds without nccl.h it is not there, and BUSBAR_HAS_NCCL is not defined.
#pragma once

#include <memory>
#include <string>

#include "gpu/platform.h"
#include "memory/space.h"
#include "transport/mpi_world.h"
#include "transport/transport.h"

namespace busbar::nccl {

class NcclTransport : public Transport {
 public:
  /// Whether the library is a test's: records made with it are marked, and judges refuse them.
  virtual bool fake() const = 0;
  /// The file it was loaded from.
  virtual std::string library_path() const = 0;
  /// Memory for Registration::symmetric: allocated by ncclMemAlloc, in all else the same as `gpu`, which must outlive
  /// it. @throws UsageError where this NCCL has no ncclMemAlloc.
  virtual std::unique_ptr<MemorySpace> symmetric_memory(MemorySpace& gpu) = 0;
};

/// Called by workers. `world` and `device` must outlive the transport; `device` is the only GPU of this process.
/// Settings: `schedule` = native | portable; `in_network` = off | nvls | collnet | sharp; `algorithm` with `protocol`;
/// `channels`; `cta_policy` = default | efficiency | zero.
/// @throws UsageError in one sentence where there is no NCCL that fits this build.
std::unique_ptr<NcclTransport> make_transport(const mpi::World& world, gpu::Device& device);

}  // namespace busbar::nccl
