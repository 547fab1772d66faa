// What the environment says of the fake GPUs; read anew at every use, so that a test may change it.
//   BUSBAR_FAKE_GPUS            how many there are (8); 0 is a machine without
//   BUSBAR_FAKE_GPU_MEMORY      bytes that each has (64 GiB): allocations beyond fail
//   BUSBAR_FAKE_GPU_NVLINK      bytes that NVLink sends, and receives, between two looks at a GPU (it has no NVLink)
//   BUSBAR_FAKE_GPU_COMPUTE     their compute capability without the point (90)
//   BUSBAR_FAKE_GPU_THROTTLED   what slows them now, such as SwPowerCap,HwThermalSlowdown (nothing)
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace busbar::gpu::fake {

/// @throws RuntimeError where the variable holds no whole number.
std::uint64_t number_of(const char* variable, std::uint64_t otherwise);

int gpus();
std::uint64_t memory_bytes();
std::uint64_t nvlink_bytes();
int compute_capability();
std::vector<std::string> throttle_reasons();

}  // namespace busbar::gpu::fake
