#include <cuda_runtime.h>

#include <algorithm>

#include "gpu/cuda/kernels.h"
#include "gpu/share.h"
#include "memory/answers.h"

namespace busbar::gpu {
namespace {

constexpr unsigned threads_per_block = 256;
constexpr unsigned blocks_per_multiprocessor = 8;  // all that can be resident: 2048 threads
constexpr unsigned all_lanes = 0xffffffffU;

__device__ std::uint64_t worker() { return std::uint64_t{blockIdx.x} * blockDim.x + threadIdx.x; }
__device__ std::uint64_t workers() { return std::uint64_t{gridDim.x} * blockDim.x; }

/// Adds every thread's number to *sum: one atomic per block. All threads of the block must call it.
__device__ void add_block(std::uint64_t number, std::uint64_t* sum) {
  __shared__ unsigned long long block;
  if (threadIdx.x == 0) block = 0;
  __syncthreads();
  for (unsigned distance = warpSize / 2; distance > 0; distance /= 2) {
    number += __shfl_down_sync(all_lanes, number, distance);
  }
  if (threadIdx.x % warpSize == 0 && number > 0) atomicAdd(&block, number);
  __syncthreads();
  if (threadIdx.x == 0 && block > 0) atomicAdd(reinterpret_cast<unsigned long long*>(sum), block);
}

template <class T, class Input>
__global__ void __launch_bounds__(threads_per_block) fill(Input input, T* data, std::uint64_t count) {
  fill_share(input, data, count, worker(), workers());
}

template <class T, class Expected>
__global__ void __launch_bounds__(threads_per_block)
    count_wrong(Expected expected, std::uint64_t first, const T* data, std::uint64_t count, std::uint64_t* wrong) {
  add_block(count_share(expected, first, data, count, worker(), workers()), wrong);
}

/// Starts a kernel with a thread for every chunk of the data, as far as they fit on the GPU at once.
template <class T, class... Parameters, class... Arguments>
cudaError_t start(const Grid& grid, std::size_t count, const T* data, void (*kernel)(Parameters...),
                  Arguments... arguments) {
  if (count == 0) return cudaSuccess;
  const std::uint64_t needed = (Chunks<T>(data, count).size() + threads_per_block - 1) / threads_per_block;
  const auto resident = static_cast<std::uint64_t>(grid.multiprocessors) * blocks_per_multiprocessor;
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(static_cast<unsigned>(std::min(needed, resident)));
  config.blockDim = dim3(threads_per_block);
  config.stream = grid.stream;
  return cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...);
}

}  // namespace

cudaError_t start_fill(const Grid& grid, const Pattern& pattern, Rank self, std::byte* data, std::size_t count) {
  return with_type(pattern.type, [&](auto v) {
    using T = decltype(v);
    T* const typed = reinterpret_cast<T*>(data);
    return pattern.redop
               ? start(grid, count, typed, fill<T, element::Contributed>, contributed(pattern, self), typed, count)
               : start(grid, count, typed, fill<T, element::Moved>, moved(pattern, self), typed, count);
  });
}

cudaError_t start_count_input(const Grid& grid, const Pattern& pattern, Rank from, std::size_t first,
                              const std::byte* data, std::size_t count, std::uint64_t* wrong) {
  return with_type(pattern.type, [&](auto v) {
    using T = decltype(v);
    const T* const typed = reinterpret_cast<const T*>(data);
    return pattern.redop ? start(grid, count, typed, count_wrong<T, element::Contributed>, contributed(pattern, from),
                                 first, typed, count, wrong)
                         : start(grid, count, typed, count_wrong<T, element::Moved>, moved(pattern, from), first, typed,
                                 count, wrong);
  });
}

cudaError_t start_count_answers(const Grid& grid, DataType type, const std::byte* table, const std::byte* data,
                                std::size_t count, std::uint64_t* wrong) {
  return with_type(type, [&](auto v) {
    using T = decltype(v);
    const T* const typed = reinterpret_cast<const T*>(data);
    const element::Answers<T> answers{reinterpret_cast<const element::Accepted<T>*>(table)};
    return start(grid, count, typed, count_wrong<T, element::Answers<T>>, answers, 0, typed, count, wrong);
  });
}

}  // namespace busbar::gpu
