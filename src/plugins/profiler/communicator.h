// One communicator as one rank of it sees it, and its records.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "plugins/profiler/record_store.h"

namespace busbar::plugins {

struct CommunicatorFacts {
  std::uint64_t id = 0;  ///< NCCL's, the same on all ranks
  std::string name;      ///< the user's; "" where none was given
  int rank = 0;
  int ranks = 0;
  int nodes = 0;
  int interface = 0;  ///< NCCL's profiler interface in use: 5 or 4
};

struct Communicator {
  std::uint64_t handle = 0;  ///< unique in this process
  CommunicatorFacts facts;
  std::atomic<bool> open = true;
  RecordStore records;
};

}  // namespace busbar::plugins
