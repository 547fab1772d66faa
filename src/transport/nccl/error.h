// NCCL's errors as one sentence for a person.
#pragma once

#include <nccl.h>

#include <string>
#include <string_view>

#include "core/units.h"
#include "gpu/platform.h"
#include "transport/nccl/library.h"

namespace busbar::nccl {

/// Where a call is made.
struct Site {
  std::string host;
  Rank rank;  ///< of the launch
  int gpu = 0;
  std::string pci_bus_id;

  std::string text() const;
};

/// The line of the source that makes a call, as a default argument. std::source_location is the same; clang-tidy 14
/// does not know it.
struct SourceLine {
  const char* file;
  int line;
  static constexpr SourceLine current(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }
};

/// What helps against an error, by NCCL's own words for it; "" where nothing is known to.
/// @param words what ncclGetLastError says
std::string_view hint(ncclResult_t result, std::string_view words);

/// @throws RuntimeError with the call, the site, file and line, NCCL's words and the hint, unless `result` is
/// ncclSuccess.
void check(const Library& library, ncclResult_t result, std::string_view call, const Site& site,
           ncclComm_t comm = nullptr, SourceLine where = SourceLine::current());

}  // namespace busbar::nccl
