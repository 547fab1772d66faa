// The kernels: fill an input, count wrong elements. They are started on a stream; nothing waits.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/units.h"
#include "memory/pattern.h"

namespace busbar::gpu {

/// Where and how wide kernels run.
struct Grid {
  int multiprocessors = 1;
  cudaStream_t stream = nullptr;
};

/// pattern.h's fill_input on GPU memory.
cudaError_t start_fill(const Grid& grid, const Pattern& pattern, Rank self, std::byte* data, std::size_t count);

/// Adds to *wrong, in GPU memory, how many elements differ from elements `first` … of the input of `from`.
cudaError_t start_count_input(const Grid& grid, const Pattern& pattern, Rank from, std::size_t first,
                              const std::byte* data, std::size_t count, std::uint64_t* wrong);

/// The same against a reduction's answers: `table`, in GPU memory, is accepted_answers from data's first element on,
/// with min(count, element::period) entries.
cudaError_t start_count_answers(const Grid& grid, DataType type, const std::byte* table, const std::byte* data,
                                std::size_t count, std::uint64_t* wrong);

}  // namespace busbar::gpu
