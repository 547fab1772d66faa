// Memory, streams, events and graphs of a GPU.
#include "core/error.h"
#include "fixture.h"

namespace busbar {
namespace {

std::vector<std::byte> numbers(std::size_t size, unsigned from) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>((i * 7 + from) % 251);
  return bytes;
}

class Device : public GpuTest {
 protected:
  void wait(gpu::Stream stream) {
    while (!device_->done(stream)) {
    }
  }
};

TEST_F(Device, SaysWhatItIs) {
  const auto info = device_->info();
  EXPECT_EQ(info.index, 0);
  EXPECT_FALSE(info.name.empty());
  EXPECT_EQ(info.uuid.size(), std::string("GPU-00000000-0000-0000-0000-000000000000").size());
  EXPECT_FALSE(info.pci_bus_id.empty());
  EXPECT_GT(info.memory.value, 0U);
  EXPECT_GT(info.multiprocessors, 0);
  EXPECT_GE(info.compute_major, 8);
}

TEST_F(Device, HealthIsPlausibleWhereItIsKnown) {
  const auto health = device_->health();
  EXPECT_GT(health.sm_clock_mhz.value_or(1000), 100U);
  EXPECT_GT(health.memory_clock_mhz.value_or(1000), 100U);
  EXPECT_LT(health.temperature_c.value_or(50), 120U);
  EXPECT_GT(health.power_w.value_or(100), 1.0);
}

TEST_F(Device, MemoryIsAlignedAndKeepsWhatIsWritten) {
  for (const std::size_t size : {1U, 4097U, 10'000'019U}) {
    OnGpu a(*device_, size);
    const OnGpu b(*device_, size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a.data()) % 512, 0U);
    const auto bytes = numbers(size, 3);
    a.write(bytes);
    device_->copy(b.data(), a.data(), Bytes{size});
    EXPECT_TRUE(b.read() == bytes) << size;
    device_->set(b.data(), std::byte{0x5a}, Bytes{size});
    EXPECT_TRUE(b.read() == std::vector<std::byte>(size, std::byte{0x5a})) << size;
  }
  device_->free(device_->allocate(Bytes{0}));
}

TEST_F(Device, SaysHowMuchIsFreeWhenMemoryRunsOut) {
  const Bytes more{device_->info().memory.value + 1};
  try {
    device_->allocate(more);
    FAIL() << "more than there is was allocated";
  } catch (const RuntimeError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("out of memory"), std::string::npos) << text;
    EXPECT_NE(text.find(std::to_string(more.value) + " bytes were asked for and "), std::string::npos) << text;
    EXPECT_NE(text.find("bytes are free"), std::string::npos) << text;
  }
  const OnGpu usable(*device_, 100);  // the error is not the next call's
}

TEST_F(Device, StreamsKeepTheirOrder) {
  constexpr std::size_t size = 8'000'000;
  OnGpu a(*device_, size);
  OnGpu b(*device_, size);
  OnGpu c(*device_, size);
  const auto bytes = numbers(size, 1);
  a.write(bytes);
  const gpu::Stream stream = device_->create_stream();
  for (int i = 0; i < 20; ++i) {
    device_->copy_on(stream, b.data(), a.data(), Bytes{size});
    device_->copy_on(stream, c.data(), b.data(), Bytes{size});
  }
  wait(stream);
  EXPECT_TRUE(c.read() == bytes);
  device_->destroy(stream);
}

TEST_F(Device, EventsTakeTheTimeBetween) {
  constexpr std::size_t size = 64'000'000;
  const OnGpu a(*device_, size);
  const OnGpu b(*device_, size);
  const gpu::Stream stream = device_->create_stream();
  const gpu::Event start = device_->create_event();
  const gpu::Event end = device_->create_event();
  device_->record(start, stream);
  device_->copy_on(stream, b.data(), a.data(), Bytes{size});
  device_->record(end, stream);
  wait(stream);
  EXPECT_GT(device_->elapsed_us(start, end), 1.0);
  EXPECT_LT(device_->elapsed_us(start, end), 10e6);
  device_->destroy_event(start);
  device_->destroy_event(end);
  device_->destroy(stream);
}

TEST_F(Device, GraphsAreCarriedOutAtEveryLaunchAndNotBefore) {
  constexpr std::size_t size = 5000;
  OnGpu a(*device_, size);
  const OnGpu b(*device_, size);
  const OnGpu c(*device_, size);
  device_->set(c.data(), std::byte{0}, Bytes{size});
  const gpu::Stream stream = device_->create_stream();
  device_->begin_capture(stream);
  device_->copy_on(stream, b.data(), a.data(), Bytes{size});
  device_->copy_on(stream, c.data(), b.data(), Bytes{size});
  const gpu::Graph graph = device_->end_capture(stream);
  EXPECT_TRUE(c.read() == std::vector<std::byte>(size));
  for (const unsigned round : {1U, 2U, 3U}) {
    a.write(numbers(size, round));
    device_->launch(graph, stream);
    wait(stream);
    EXPECT_TRUE(c.read() == numbers(size, round)) << round;
  }
  device_->destroy_graph(graph);
  device_->destroy(stream);
}

TEST_F(Device, ThereIsNoneBeyondTheLast) {
  EXPECT_THROW(platform_.open(platform_.devices()), RuntimeError);
  EXPECT_THROW(platform_.open(-1), RuntimeError);
}

}  // namespace
}  // namespace busbar
