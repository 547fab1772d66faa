// The one structure of NVML's C interface that we pass: a header of our own, since a driver's library is there where
// its nvml.h is not.
#pragma once

#include <cstddef>
#include <cstdint>

namespace busbar::gpu {

/// nvmlFieldValue_t: what is asked for, and the answer.
struct NvmlField {
  unsigned id = 0;
  unsigned scope = 0;  ///< a link's number, for the fields that have one for each
  long long timestamp_us = 0;
  long long latency_us = 0;
  unsigned type = 0;  ///< of the value
  int error = 0;
  std::uint64_t value = 0;  ///< a union that begins at this place
};
static_assert(sizeof(NvmlField) == 40 && offsetof(NvmlField, value) == 32);

}  // namespace busbar::gpu
