// GPU memory over GPUs that are none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "gpu_platform.h"
#include "memory/gpu.h"

namespace busbar {
namespace {

using ::testing::HasSubstr;

class GpuMemoryTest : public ::testing::Test {
 protected:
  GpuMemoryTest() {
    environment_.set("BUSBAR_GPU_PLATFORM", BUSBAR_GPU_FAKE);
    device_ = gpu::load_platform().open(1);
  }
  Environment environment_;
  std::unique_ptr<gpu::Device> device_;
};

TEST_F(GpuMemoryTest, IsAlignedAndPoisoned) {
  GpuMemory memory(*device_);
  EXPECT_EQ(memory.name(), "gpu");
  for (const std::uint64_t size : {0U, 1U, 511U, 100'000U}) {
    const auto allocation = memory.allocate(Bytes{size});
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(allocation->data()) % 512, 0U);
    std::vector<std::byte> seen(size);
    memory.copy(seen.data(), allocation->data(), Bytes{size});
    EXPECT_EQ(seen, std::vector<std::byte>(size, poison_byte));
  }
}

TEST_F(GpuMemoryTest, FillsCopiesAndVerifies) {
  GpuMemory memory(*device_);
  const auto a = memory.allocate(Bytes{4000});
  const auto b = memory.allocate(Bytes{4000});
  const Pattern pattern{DataType::float32, std::nullopt, 2, 3};
  memory.fill(a->data(), 1000, pattern, Rank{1});
  memory.copy(b->data(), a->data(), Bytes{4000});
  EXPECT_EQ(memory.count_wrong(b->data(), 1000, pattern, Rank{1}, 0), 0U);
  memory.poison(b->data(), Bytes{400});
  EXPECT_EQ(memory.count_wrong(b->data(), 1000, pattern, Rank{1}, 0), 100U);
  EXPECT_EQ(memory.count_wrong(b->data() + 400, 900, pattern, Rank{1}, 100), 0U);
}

TEST_F(GpuMemoryTest, OneWrongElementOfAReductionIsFound) {
  GpuMemory memory(*device_);
  const auto result = memory.allocate(Bytes{8 * 5000});
  const Pattern pattern{DataType::float64, RedOp::sum, 3, 8};
  std::vector<double> answer(5000);
  for (std::size_t i = 0; i < answer.size(); ++i) answer[i] = static_cast<double>(expected_reduction(pattern, i));
  answer[4321] += 1;
  memory.copy(result->data(), reinterpret_cast<const std::byte*>(answer.data()), Bytes{8 * 5000});
  EXPECT_EQ(memory.count_wrong(result->data(), 5000, pattern, std::nullopt, 0), 1U);
  EXPECT_EQ(memory.count_wrong(result->data(), 4321, pattern, std::nullopt, 0), 0U);
}

TEST_F(GpuMemoryTest, SaysHowMuchIsFreeWhenItRunsOut) {
  environment_.set("BUSBAR_FAKE_GPU_MEMORY", "1000");
  GpuMemory memory(*device_);
  auto held = memory.allocate(Bytes{600});
  EXPECT_THAT(sentence_of<RuntimeError>([&] { memory.allocate(Bytes{401}); }),
              HasSubstr("out of memory; 401 bytes were asked for and 400 of 1000 bytes are free"));
  held.reset();
  EXPECT_NO_THROW(memory.allocate(Bytes{1000}));
  environment_.set("BUSBAR_FAKE_GPU_MEMORY", "much");
  EXPECT_THROW(memory.allocate(Bytes{1}), RuntimeError);
}

TEST_F(GpuMemoryTest, ThrottlingIsTold) {
  EXPECT_THAT(*device_->health().throttle_reasons, ::testing::IsEmpty());
  const unsigned full = *device_->health().sm_clock_mhz;
  environment_.set("BUSBAR_FAKE_GPU_THROTTLED", "SwPowerCap,HwThermalSlowdown");
  EXPECT_THAT(*device_->health().throttle_reasons, ::testing::ElementsAre("SwPowerCap", "HwThermalSlowdown"));
  EXPECT_LT(*device_->health().sm_clock_mhz, full);
}

}  // namespace
}  // namespace busbar
