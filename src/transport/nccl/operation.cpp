#include "transport/nccl/operation.h"

#include <utility>

namespace busbar::nccl {

StreamOperation::StreamOperation(gpu::Device& device, gpu::Stream stream, Parts parts)
    : device_(device),
      stream_(stream),
      parts_(std::move(parts)),
      begin_(device, device.create_event()),
      end_(device, device.create_event()) {
  if (!parts_.graph) return;
  for (int slot = 0; slot < 2; ++slot) graphs_[slot] = capture(slot);
}

StreamOperation::~StreamOperation() {
  // NCCL waits for graphs that hold its kernels, and the buffers are freed next.
  for (auto& graph : graphs_) graph.reset();
  parts_.comm->abort_where_broken();
}

std::unique_ptr<OwnedGraph> StreamOperation::capture(int slot) {
  device_.begin_capture(stream_);
  parts_.work->issue(slot);
  return std::make_unique<OwnedGraph>(device_, device_.end_capture(stream_));
}

void StreamOperation::enqueue(int slot) {
  if (!under_way_) device_.record(begin_.get(), stream_);
  under_way_ = true;
  if (parts_.graph) {
    device_.launch(graphs_[slot]->get(), stream_);
  } else {
    parts_.work->issue(slot);
  }
}

void StreamOperation::complete() {
  if (!under_way_) return;
  device_.record(end_.get(), stream_);
  // A peer that is lost leaves the kernels waiting: the stream alone would never tell.
  while (!device_.done(stream_)) parts_.comm->watch();
  parts_.comm->watch();  // kernels that NCCL gave up end as if they were done
  under_way_ = false;
  timed_ = true;
}

std::optional<double> StreamOperation::device_us() const {
  if (!timed_) return std::nullopt;
  return device_.elapsed_us(begin_.get(), end_.get());
}

}  // namespace busbar::nccl
