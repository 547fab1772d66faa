// Memory for points without payload: addresses of the right length, behind all of which is the same small block.
#pragma once

#include "memory/space.h"

namespace busbar::sim {

class HollowMemory final : public MemorySpace {
 public:
  std::string_view name() const override { return "host"; }
  std::unique_ptr<Allocation> allocate(Bytes size) override;
  void copy(std::byte* /*to*/, const std::byte* /*from*/, Bytes /*size*/) override {}
  void fill(std::byte* /*data*/, std::size_t /*count*/, const Pattern& /*pattern*/, Rank /*self*/) override {}
  void poison(std::byte* /*data*/, Bytes /*size*/) override {}
  /// Nobody asks: what holds nothing is not verified.
  std::uint64_t count_wrong(const std::byte* data, std::size_t count, const Pattern& pattern, std::optional<Rank> from,
                            std::size_t source_offset) override;
};

}  // namespace busbar::sim
