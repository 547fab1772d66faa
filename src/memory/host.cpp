#include "memory/host.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "core/error.h"

namespace busbar {
namespace {

class HostAllocation final : public Allocation {
 public:
  explicit HostAllocation(std::byte* data) : data_(data) {}
  HostAllocation(const HostAllocation&) = delete;
  HostAllocation& operator=(const HostAllocation&) = delete;
  ~HostAllocation() override { std::free(data_); }
  std::byte* data() const override { return data_; }

 private:
  std::byte* data_;
};

}  // namespace

std::unique_ptr<Allocation> HostMemory::allocate(Bytes size) {
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const std::uint64_t pages = std::max<std::uint64_t>(1, size.value / page + (size.value % page != 0 ? 1 : 0));
  const bool addressable = pages <= static_cast<std::uint64_t>(std::numeric_limits<std::ptrdiff_t>::max()) / page;
  void* const data = addressable ? std::aligned_alloc(page, pages * page) : nullptr;
  if (data == nullptr) throw RuntimeError(fmt::format("cannot allocate {} bytes of host memory", size.value));
  std::memset(data, static_cast<int>(poison_byte), pages * page);  // touched by the rank that will use it
  return std::make_unique<HostAllocation>(static_cast<std::byte*>(data));
}

void HostMemory::copy(std::byte* to, const std::byte* from, Bytes size) {
  if (size.value > 0) std::memcpy(to, from, size.value);
}

void HostMemory::fill(std::byte* data, std::size_t count, const Pattern& pattern, Rank self) {
  fill_input(pattern, self, data, count);
}

void HostMemory::poison(std::byte* data, Bytes size) {
  if (size.value > 0) std::memset(data, static_cast<int>(poison_byte), size.value);
}

std::uint64_t HostMemory::count_wrong(const std::byte* data, std::size_t count, const Pattern& pattern,
                                      std::optional<Rank> from, std::size_t source_offset) {
  return busbar::count_wrong(pattern, from, source_offset, data, count);
}

}  // namespace busbar
