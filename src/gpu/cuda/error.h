// What to tell a person when CUDA refuses.
#pragma once

#include <cuda_runtime_api.h>

#include <optional>
#include <source_location>
#include <string>
#include <string_view>

namespace busbar::gpu {

/// "13.0" of 13000, the way CUDA writes its versions.
std::string version_text(int version);

/// The CUDA version that the driver is for; none where there is no driver.
std::optional<int> driver_cuda_version();

/// The version of the runtime that is built in.
int runtime_cuda_version();

/// What usually helps against an error, as the end of a sentence: "; …". Empty where nothing usual does.
std::string hint(cudaError_t error);

/// One sentence: the call, the GPU, this host, where in the source, what CUDA says, the hint.
std::string sentence(cudaError_t error, std::string_view call, int gpu, const std::source_location& where);

/// @throws RuntimeError with the sentence where `error` is one.
void check(cudaError_t error, std::string_view call, int gpu,
           const std::source_location& where = std::source_location::current());

}  // namespace busbar::gpu
