#include <gtest/gtest.h>

#include "core/error.h"
#include "memory/host.h"

namespace busbar {
namespace {

TEST(HostMemory, IsPageAlignedAndTouched) {
  HostMemory memory;
  for (const std::uint64_t size : {0U, 1U, 4096U, 100'000U}) {
    const auto allocation = memory.allocate(Bytes{size});
    ASSERT_NE(allocation->data(), nullptr);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(allocation->data()) % 4096, 0U);
    for (std::uint64_t i = 0; i < size; ++i) ASSERT_EQ(allocation->data()[i], poison_byte);
  }
}

TEST(HostMemory, SaysWhenMemoryRunsOut) {
  HostMemory memory;
  EXPECT_THROW(memory.allocate(Bytes{~std::uint64_t{0}}), RuntimeError);
  EXPECT_THROW(memory.allocate(Bytes{~std::uint64_t{0} - 4096}), RuntimeError);
#ifndef BUSBAR_SANITIZED  // whose allocator ends the process instead
  EXPECT_THROW(memory.allocate(Bytes{std::uint64_t{1} << 62U}), RuntimeError);
#endif
}

TEST(HostMemory, CopiesFillsAndVerifies) {
  HostMemory memory;
  const auto a = memory.allocate(Bytes{4000});
  const auto b = memory.allocate(Bytes{4000});
  const Pattern pattern{DataType::float32, std::nullopt, 2, 3};
  memory.fill(a->data(), 1000, pattern, Rank{1});
  memory.copy(b->data(), a->data(), Bytes{4000});
  EXPECT_EQ(memory.count_wrong(b->data(), 1000, pattern, Rank{1}, 0), 0U);
  memory.poison(b->data(), Bytes{400});
  EXPECT_EQ(memory.count_wrong(b->data(), 1000, pattern, Rank{1}, 0), 100U);
}

}  // namespace
}  // namespace busbar
