#include "memory/gpu.h"

namespace busbar {
namespace {

class GpuAllocation final : public Allocation {
 public:
  GpuAllocation(gpu::Device& device, Bytes size) : device_(device), data_(device.allocate(size)) {}
  GpuAllocation(const GpuAllocation&) = delete;
  GpuAllocation& operator=(const GpuAllocation&) = delete;
  ~GpuAllocation() override { device_.free(data_); }
  std::byte* data() const override { return data_; }

 private:
  gpu::Device& device_;
  std::byte* data_;
};

}  // namespace

std::unique_ptr<Allocation> GpuMemory::allocate(Bytes size) {
  auto allocation = std::make_unique<GpuAllocation>(device_, size);
  poison(allocation->data(), size);
  return allocation;
}

void GpuMemory::fill(std::byte* data, std::size_t count, const Pattern& pattern, Rank self) {
  device_.fill_input(pattern, self, data, count);
}

std::uint64_t GpuMemory::count_wrong(const std::byte* data, std::size_t count, const Pattern& pattern,
                                     std::optional<Rank> from, std::size_t source_offset) {
  return device_.count_wrong(pattern, from, source_offset, data, count);
}

}  // namespace busbar
