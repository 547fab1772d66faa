// The GPUs of this machine through CUDA: what libbusbar-cuda.so exports.
#include "gpu/platform.h"

#include <fmt/format.h>

#include <cstdlib>

#include "core/error.h"
#include "gpu/cuda/device.h"
#include "gpu/cuda/error.h"

namespace busbar::gpu {
namespace {

/// In one sentence, why no GPU can be had.
std::string why_none(cudaError_t error) {
  const auto driver = driver_cuda_version();
  if (!driver)
    return "no GPU can be used: there is no NVIDIA driver on this host (libcuda.so.1 is missing or does not start)";
  return fmt::format("no GPU can be used: {} ({}){}", cudaGetErrorString(error), cudaGetErrorName(error), hint(error));
}

class CudaPlatform final : public Platform {
 public:
  bool fake() const override { return false; }

  std::string runtime_version() const override { return version_text(runtime_cuda_version()); }

  std::optional<std::string> driver_version() const override {
    const auto version = driver_cuda_version();
    return version ? std::optional(version_text(*version)) : std::nullopt;
  }

  int devices() const override {
    int count = 0;
    cudaError_t error = cudaGetDeviceCount(&count);
    static_cast<void>(cudaGetLastError());
    if (error == cudaSuccess && count == 0) error = cudaErrorNoDevice;
    if (error != cudaSuccess) throw RuntimeError(why_none(error));
    return count;
  }

  std::unique_ptr<Device> open(int index) override {
    const int count = devices();
    if (index < 0 || index >= count) {
      throw RuntimeError(fmt::format("there is no GPU {}: this process sees {}, from 0 on", index, count));
    }
    return std::make_unique<CudaDevice>(index, nvml_);
  }

 private:
  Nvml nvml_;
};

}  // namespace
}  // namespace busbar::gpu

extern "C" __attribute__((visibility("default"))) busbar::gpu::Platform* busbar_gpu_platform() {
  static auto* const platform = new busbar::gpu::CudaPlatform;  // for as long as the process: nothing outlives it
  return platform;
}
