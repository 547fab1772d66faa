// Memory from ncclMemAlloc: the only kind that symmetric windows take.
#pragma once

#include <map>
#include <memory>

#include "memory/space.h"
#include "transport/nccl/error.h"

namespace busbar::nccl {

/// The stretches that ncclMemAlloc gave out and that are still there.
class Ledger {
 public:
  void add(const std::byte* memory, std::size_t bytes) { stretches_[memory] = bytes; }
  void remove(const std::byte* memory) { stretches_.erase(memory); }
  bool holds(const std::byte* memory, std::size_t bytes) const;

 private:
  std::map<const std::byte*, std::size_t> stretches_;
};

/// As `inner`, but for where the memory comes from; all arguments must outlive it and what it allocates.
class SymmetricMemory final : public MemorySpace {
 public:
  SymmetricMemory(const Library& library, const Site& site, Ledger& ledger, MemorySpace& inner)
      : library_(library), site_(site), ledger_(ledger), inner_(inner) {}

  std::string_view name() const override { return inner_.name(); }
  std::unique_ptr<Allocation> allocate(Bytes size) override;
  void copy(std::byte* to, const std::byte* from, Bytes size) override { inner_.copy(to, from, size); }
  void fill(std::byte* data, std::size_t count, const Pattern& pattern, Rank self) override {
    inner_.fill(data, count, pattern, self);
  }
  void poison(std::byte* data, Bytes size) override { inner_.poison(data, size); }
  std::uint64_t count_wrong(const std::byte* data, std::size_t count, const Pattern& pattern, std::optional<Rank> from,
                            std::size_t source_offset) override {
    return inner_.count_wrong(data, count, pattern, from, source_offset);
  }

 private:
  const Library& library_;
  const Site& site_;
  Ledger& ledger_;
  MemorySpace& inner_;
};

}  // namespace busbar::nccl
