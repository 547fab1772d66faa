#include "gpu/cuda/error.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "core/error.h"

namespace busbar::gpu {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "an unnamed host";
}

/// From "src/" on: where the project lies is nobody's business.
std::string_view in_project(std::string_view path) {
  const auto start = path.rfind("src/");
  return start == std::string_view::npos ? path : path.substr(start);
}

}  // namespace

std::string version_text(int version) { return fmt::format("{}.{}", version / 1000, version % 1000 / 10); }

std::optional<int> driver_cuda_version() {
  int version = 0;
  if (cudaDriverGetVersion(&version) != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
    return std::nullopt;
  }
  return version > 0 ? std::optional(version) : std::nullopt;
}

int runtime_cuda_version() {
  int version = 0;
  return cudaRuntimeGetVersion(&version) == cudaSuccess ? version : CUDART_VERSION;
}

std::string hint(cudaError_t error) {
  switch (error) {
    case cudaErrorInsufficientDriver: {
      const auto driver = driver_cuda_version();
      if (!driver) return "; there is no NVIDIA driver on this host";
      return fmt::format("; the driver is for CUDA {}, this program needs {}", version_text(*driver),
                         version_text(runtime_cuda_version()));
    }
    case cudaErrorNoDevice: return "; the driver shows no GPU: look at nvidia-smi and at CUDA_VISIBLE_DEVICES";
    case cudaErrorInvalidDevice: return "; CUDA_VISIBLE_DEVICES may leave fewer GPUs than were asked for";
    case cudaErrorDevicesUnavailable: return "; another process may hold the GPU in exclusive mode";
    case cudaErrorNoKernelImageForDevice: return "; GPUs need compute capability 8.0 or more";
    case cudaErrorUnsupportedPtxVersion:
      return fmt::format("; the driver is too old for this GPU's code from CUDA {}", version_text(CUDART_VERSION));
    case cudaErrorSystemNotReady: return "; on machines with NVSwitch the fabric manager must run";
    case cudaErrorSystemDriverMismatch:
      return "; the driver's kernel module and its libraries differ in version: reboot, or look at the container's "
             "mounts";
    case cudaErrorMpsConnectionFailed: return "; the MPS daemon does not answer";
    case cudaErrorECCUncorrectable: return "; the GPU's memory is faulty: look at nvidia-smi -q -d ECC";
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchFailure: return "; an earlier kernel failed and this process cannot use the GPU any more";
    default: return "";
  }
}

std::string sentence(cudaError_t error, std::string_view call, int gpu, const std::source_location& where) {
  return fmt::format("{} failed on GPU {} of {} ({}:{}): {} ({}){}", call, gpu, host_name(),
                     in_project(where.file_name()), where.line(), cudaGetErrorString(error), cudaGetErrorName(error),
                     hint(error));
}

void check(cudaError_t error, std::string_view call, int gpu, const std::source_location& where) {
  if (error == cudaSuccess) return;
  static_cast<void>(cudaGetLastError());  // or a later call would report it as its own
  throw RuntimeError(sentence(error, call, gpu, where));
}

}  // namespace busbar::gpu
