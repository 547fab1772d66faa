#include "transport/ucx/memory.h"

#include <unistd.h>

#include <algorithm>

#include "core/error.h"

namespace busbar::ucx {
namespace {

class UcxAllocation final : public Allocation {
 public:
  UcxAllocation(std::shared_ptr<ucp_context> context, std::shared_ptr<Ledger> ledger, Bytes size)
      : mapping_(std::move(context), size), ledger_(std::move(ledger)) {
    ledger_->add(mapping_);
  }
  ~UcxAllocation() override { ledger_->remove(mapping_); }
  UcxAllocation(const UcxAllocation&) = delete;
  UcxAllocation& operator=(const UcxAllocation&) = delete;
  UcxAllocation(UcxAllocation&&) = delete;
  UcxAllocation& operator=(UcxAllocation&&) = delete;
  std::byte* data() const override { return mapping_.data(); }

 private:
  Mapping mapping_;
  std::shared_ptr<Ledger> ledger_;
};

}  // namespace

const Mapping& Ledger::find(const std::byte* address) const {
  auto after = mappings_.upper_bound(address);
  if (after != mappings_.begin()) {
    const Mapping& before = *std::prev(after)->second;
    if (address < before.data() + before.size().value) return before;
  }
  throw RuntimeError("a buffer is not of UCX's memory, so that no other process can reach it");
}

std::unique_ptr<Allocation> UcxMemory::allocate(Bytes size) {
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const Bytes whole{std::max<std::uint64_t>(1, (size.value + page - 1) / page) * page};
  auto allocation = std::make_unique<UcxAllocation>(context_, ledger_, whole);
  poison(allocation->data(), whole);  // touched by the rank that will use it
  return allocation;
}

}  // namespace busbar::ucx
