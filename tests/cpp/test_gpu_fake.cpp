// What other fake libraries rely on of the fake GPUs' streams.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "fakes/gpu/enqueue.h"
#include "gpu_platform.h"

namespace busbar {
namespace {

struct Counted {
  int done = 0;
  int released = 0;
};

void work(void* counted) { ++static_cast<Counted*>(counted)->done; }
void release(void* counted) { ++static_cast<Counted*>(counted)->released; }

class FakeGpu : public ::testing::Test {
 protected:
  FakeGpu() {
    environment_.set("BUSBAR_GPU_PLATFORM", BUSBAR_GPU_FAKE);
    device_ = gpu::load_platform().open(0);
    stream_ = device_->create_stream();
    void* const library = dlopen(BUSBAR_GPU_FAKE, RTLD_NOW | RTLD_NOLOAD);
    enqueue_ = reinterpret_cast<BusbarFakeGpuEnqueue*>(dlsym(library, "busbar_fake_gpu_enqueue"));
  }
  ~FakeGpu() override { device_->destroy(stream_); }

  Environment environment_;
  std::unique_ptr<gpu::Device> device_;
  gpu::Stream stream_ = nullptr;
  BusbarFakeGpuEnqueue* enqueue_ = nullptr;
};

TEST_F(FakeGpu, ForeignWorkIsDoneAtOnce) {
  ASSERT_NE(enqueue_, nullptr);
  Counted counted;
  enqueue_(stream_, work, &counted, release);
  enqueue_(nullptr, work, &counted, nullptr);
  EXPECT_EQ(counted.done, 2);
  EXPECT_EQ(counted.released, 1);
  EXPECT_TRUE(device_->done(stream_));
}

TEST_F(FakeGpu, ForeignWorkIsCaptured) {
  ASSERT_NE(enqueue_, nullptr);
  Counted counted;
  device_->begin_capture(stream_);
  enqueue_(stream_, work, &counted, release);
  const gpu::Graph graph = device_->end_capture(stream_);
  EXPECT_EQ(counted.done, 0);
  device_->launch(graph, stream_);
  device_->launch(graph, stream_);
  EXPECT_EQ(counted.done, 2);
  EXPECT_EQ(counted.released, 0);
  device_->destroy_graph(graph);
  EXPECT_EQ(counted.released, 1);
}

TEST_F(FakeGpu, RefusesWhatCudaRefusesDuringACapture) {
  const gpu::Event event = device_->create_event();
  device_->begin_capture(stream_);
  EXPECT_THROW(device_->allocate(Bytes{1}), RuntimeError);
  EXPECT_THROW(device_->done(stream_), RuntimeError);
  EXPECT_THROW(device_->begin_capture(stream_), RuntimeError);
  device_->record(event, stream_);
  device_->destroy_graph(device_->end_capture(stream_));
  EXPECT_THROW(device_->elapsed_us(event, event), RuntimeError);
  EXPECT_THROW(device_->end_capture(stream_), RuntimeError);
  device_->destroy_event(event);
}

}  // namespace
}  // namespace busbar
