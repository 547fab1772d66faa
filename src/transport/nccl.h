// The transport `nccl`: every operation by NCCL's own call, or by its portable schedule as grouped sends and receives.
// In builds without nccl.h it is not there, and BUSBAR_HAS_NCCL is not defined.
#pragma once

#include <memory>
#include <string>

#include "gpu/platform.h"
#include "measure/control.h"
#include "memory/space.h"
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

/// Of one worker rank, used by one thread; `controls` is that rank's, `device` its only GPU, and both must outlive the
/// transport. Ranks may be threads of one process.
/// Settings: `schedule` = native | portable; `in_network` = off | nvls | collnet | sharp; `algorithm` with `protocol`;
/// `channels`; `cta_policy` = default | efficiency | zero.
/// @throws UsageError in one sentence where there is no NCCL that fits this build.
std::unique_ptr<NcclTransport> make_transport(Controls& controls, gpu::Device& device);

}  // namespace busbar::nccl
