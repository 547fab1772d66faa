// Memory of a GPU.
#pragma once

#include "gpu/platform.h"
#include "memory/space.h"

namespace busbar {

class GpuMemory final : public MemorySpace {
 public:
  /// The device must outlive this and its allocations.
  explicit GpuMemory(gpu::Device& device) : device_(device) {}
  std::string_view name() const override { return "gpu"; }
  std::unique_ptr<Allocation> allocate(Bytes size) override;
  void copy(std::byte* to, const std::byte* from, Bytes size) override { device_.copy(to, from, size); }
  void fill(std::byte* data, std::size_t count, const Pattern& pattern, Rank self) override;
  void poison(std::byte* data, Bytes size) override { device_.set(data, poison_byte, size); }
  std::uint64_t count_wrong(const std::byte* data, std::size_t count, const Pattern& pattern, std::optional<Rank> from,
                            std::size_t source_offset) override;

 private:
  gpu::Device& device_;
};

}  // namespace busbar
