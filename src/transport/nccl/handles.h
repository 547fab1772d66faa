// RAII for what a GPU gives out.
#pragma once

#include "gpu/platform.h"

namespace busbar::nccl {

/// Owns one handle that `Free` gives back to its device, which must outlive it.
template <class Handle, void (gpu::Device::*Free)(Handle) noexcept>
class OnDevice {
 public:
  OnDevice(gpu::Device& device, Handle handle) : device_(device), handle_(handle) {}
  ~OnDevice() { (device_.*Free)(handle_); }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;
  OnDevice(OnDevice&&) = delete;
  OnDevice& operator=(OnDevice&&) = delete;
  Handle get() const { return handle_; }

 private:
  gpu::Device& device_;
  Handle handle_;
};

using OwnedStream = OnDevice<gpu::Stream, &gpu::Device::destroy>;
using OwnedEvent = OnDevice<gpu::Event, &gpu::Device::destroy_event>;
using OwnedGraph = OnDevice<gpu::Graph, &gpu::Device::destroy_graph>;

}  // namespace busbar::nccl
