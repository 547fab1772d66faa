// Host memory from UCX, and which of it an address belongs to.
#pragma once

#include <map>
#include <memory>

#include "memory/host.h"
#include "transport/ucx/handles.h"

namespace busbar::ucx {

/// What is mapped at present.
class Ledger {
 public:
  void add(const Mapping& mapping) { mappings_.emplace(mapping.data(), &mapping); }
  void remove(const Mapping& mapping) { mappings_.erase(mapping.data()); }
  /// @throws RuntimeError where UCX did not allocate this memory.
  const Mapping& find(const std::byte* address) const;

 private:
  std::map<const std::byte*, const Mapping*> mappings_;
};

/// Like HostMemory but for where it comes from.
class UcxMemory final : public MemorySpace {
 public:
  UcxMemory(std::shared_ptr<ucp_context> context, std::shared_ptr<Ledger> ledger)
      : context_(std::move(context)), ledger_(std::move(ledger)) {}
  std::string_view name() const override { return host_.name(); }
  std::unique_ptr<Allocation> allocate(Bytes size) override;
  void copy(std::byte* to, const std::byte* from, Bytes size) override { host_.copy(to, from, size); }
  void fill(std::byte* data, std::size_t count, const Pattern& pattern, Rank self) override {
    host_.fill(data, count, pattern, self);
  }
  void poison(std::byte* data, Bytes size) override { host_.poison(data, size); }
  std::uint64_t count_wrong(const std::byte* data, std::size_t count, const Pattern& pattern, std::optional<Rank> from,
                            std::size_t source_offset) override {
    return host_.count_wrong(data, count, pattern, from, source_offset);
  }

 private:
  HostMemory host_;
  std::shared_ptr<ucp_context> context_;
  std::shared_ptr<Ledger> ledger_;
};

}  // namespace busbar::ucx
