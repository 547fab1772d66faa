#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "core/error.h"
#include "gpu/platform.h"

namespace busbar::gpu {
namespace {

constexpr const char* variable = "BUSBAR_GPU_PLATFORM";
constexpr const char* cuda_library = "libbusbar-cuda.so";
constexpr const char* entry_name = "busbar_gpu_platform";

/// What the environment names, else the library beside this program.
std::string chosen_library() {
  if (const char* const named = std::getenv(variable)) {
    if (*named == '\0') throw UsageError(fmt::format("{} is empty; accepted: the path of a GPU platform", variable));
    return named;
  }
  const auto path = std::filesystem::read_symlink("/proc/self/exe").parent_path() / cuda_library;
  if (!std::filesystem::exists(path)) {
    throw UsageError(
        fmt::format("this build has no GPUs: {} is not beside the program; build where nvcc is found, or name a GPU "
                    "platform in {}",
                    cuda_library, variable));
  }
  return path.string();
}

}  // namespace

Platform& load_platform() {
  const std::string path = chosen_library();
  void* const loaded = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);  // for good: what it gives out lives in it
  if (loaded == nullptr) throw UsageError(fmt::format("cannot load the GPU platform '{}': {}", path, dlerror()));
  void* const entry = dlsym(loaded, entry_name);
  if (entry == nullptr) throw UsageError(fmt::format("'{}' is no GPU platform: it lacks {}", path, entry_name));
  return *reinterpret_cast<PlatformEntry>(entry)();
}

Platform& platform_with_gpus() {
  Platform& platform = load_platform();
  try {
    static_cast<void>(platform.devices());
  } catch (const RuntimeError& error) {
    throw UsageError(error.what());
  }
  return platform;
}

}  // namespace busbar::gpu
