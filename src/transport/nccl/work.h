// What one execution of an operation puts on a stream.
#pragma once

#include <memory>

#include "gpu/platform.h"
#include "transport/nccl/calls.h"
#include "transport/nccl/communicator.h"
#include "transport/nccl/plan.h"
#include "transport/transport.h"

namespace busbar::nccl {

class Work {
 public:
  virtual ~Work() = default;
  /// Starts it on input `slot`; allocates nothing.
  virtual void issue(int slot) = 0;
};

/// `call` must be one that this NCCL has.
std::unique_ptr<Work> native_work(const NativeCall& call, std::shared_ptr<Communicator> comm, gpu::Stream stream,
                                  const OperationSpec& spec, const Buffers& buffers);

/// The collective's portable schedule by grouped sends and receives. @throws as plan_of.
std::unique_ptr<Work> planned_work(std::shared_ptr<Communicator> comm, gpu::Device& device, gpu::Stream stream,
                                   const OperationSpec& spec, const Buffers& buffers);

}  // namespace busbar::nccl
