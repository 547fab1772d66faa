// GPU 0 of the platform that the environment chooses, in every test of this program; main has seen that there is one.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "gpu/platform.h"

namespace busbar {

/// GPU memory that is freed at the end.
class OnGpu {
 public:
  OnGpu(gpu::Device& device, std::size_t size) : device_(device), size_(size), data_(device.allocate(Bytes{size})) {}
  OnGpu(const OnGpu&) = delete;
  OnGpu& operator=(const OnGpu&) = delete;
  ~OnGpu() { device_.free(data_); }
  std::byte* data() const { return data_; }
  std::vector<std::byte> read() const {
    std::vector<std::byte> bytes(size_);
    device_.copy(bytes.data(), data_, Bytes{size_});
    return bytes;
  }
  void write(const std::vector<std::byte>& bytes) { device_.copy(data_, bytes.data(), Bytes{bytes.size()}); }

 private:
  gpu::Device& device_;
  std::size_t size_;
  std::byte* data_;
};

class GpuTest : public ::testing::Test {
 protected:
  gpu::Platform& platform_ = gpu::load_platform();
  std::unique_ptr<gpu::Device> device_ = platform_.open(0);
};

}  // namespace busbar
