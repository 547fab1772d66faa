#include "transport/nccl/memory.h"

#include <algorithm>

namespace busbar::nccl {
namespace {

class SymmetricAllocation final : public Allocation {
 public:
  SymmetricAllocation(const Functions& nccl, Ledger& ledger, std::byte* memory, std::size_t bytes)
      : nccl_(nccl), ledger_(ledger), memory_(memory) {
    ledger_.add(memory_, bytes);
  }
  ~SymmetricAllocation() override {
    ledger_.remove(memory_);
    nccl_.mem_free(memory_);
  }
  SymmetricAllocation(const SymmetricAllocation&) = delete;
  SymmetricAllocation& operator=(const SymmetricAllocation&) = delete;
  SymmetricAllocation(SymmetricAllocation&&) = delete;
  SymmetricAllocation& operator=(SymmetricAllocation&&) = delete;
  std::byte* data() const override { return memory_; }

 private:
  const Functions& nccl_;
  Ledger& ledger_;
  std::byte* memory_;
};

}  // namespace

bool Ledger::holds(const std::byte* memory, std::size_t bytes) const {
  const auto after = stretches_.upper_bound(memory);
  if (after == stretches_.begin()) return false;
  const auto& [start, length] = *std::prev(after);
  return memory + bytes <= start + length;
}

std::unique_ptr<Allocation> SymmetricMemory::allocate(Bytes size) {
  // NCCL gives no memory for 0 bytes, and an allocation has an address.
  const std::size_t bytes = std::max<std::size_t>(size.value, 1);
  void* memory = nullptr;
  check(library_, library_.call().mem_alloc(&memory, bytes), "ncclMemAlloc", site_);
  return std::make_unique<SymmetricAllocation>(library_.call(), ledger_, static_cast<std::byte*>(memory), bytes);
}

}  // namespace busbar::nccl
