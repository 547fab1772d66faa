// One prepared operation on a stream.
#pragma once

#include <memory>
#include <optional>

#include "transport/nccl/communicator.h"
#include "transport/nccl/handles.h"
#include "transport/nccl/registration.h"
#include "transport/nccl/work.h"
#include "transport/transport.h"

namespace busbar::nccl {

/// What an operation is made of. The stream must outlive it.
struct Parts {
  std::shared_ptr<Communicator> comm;
  std::unique_ptr<Registrations> registrations;  ///< null: none
  std::unique_ptr<Work> work;
  bool graph = false;
};

class StreamOperation final : public Operation {
 public:
  /// Captures one graph per input where asked to. @throws RuntimeError where the GPU refuses.
  StreamOperation(gpu::Device& device, gpu::Stream stream, Parts parts);
  ~StreamOperation() override;
  StreamOperation(const StreamOperation&) = delete;
  StreamOperation& operator=(const StreamOperation&) = delete;
  StreamOperation(StreamOperation&&) = delete;
  StreamOperation& operator=(StreamOperation&&) = delete;

  void enqueue(int slot) override;
  void complete() override;
  std::optional<double> device_us() const override;

 private:
  std::unique_ptr<OwnedGraph> capture(int slot);

  gpu::Device& device_;
  gpu::Stream stream_;
  Parts parts_;
  OwnedEvent begin_;
  OwnedEvent end_;
  std::unique_ptr<OwnedGraph> graphs_[2];
  bool under_way_ = false;  ///< something was enqueued since the last `complete`
  bool timed_ = false;      ///< both events are over
};

}  // namespace busbar::nccl
