// Carries out the operations of a group by messages between its ranks, on host memory.
#pragma once

#include <vector>

#include "fakes/nccl/batch.h"

namespace busbar::nccl::fake {

/// Whether the NCCL that the fake seems to be has it.
bool has_datatype(ncclDataType_t type);
std::size_t element_bytes(ncclDataType_t type);
/// As NCCL's profiler interface names it.
const char* datatype_name(ncclDataType_t type);

void execute(const std::vector<Task>& tasks);

}  // namespace busbar::nccl::fake
