// NCCL's tuner and profiler plugins, called by the fake library as NCCL calls them, so that settings and proof go their
// whole way.
#pragma once

#include <nccl.h>

#include <cstddef>
#include <cstdint>

#include "plugins/abi/profiler.h"
#include "plugins/abi/tuner.h"

namespace busbar::nccl::fake {

struct Choice {
  nccl_abi::Algorithm algorithm{};
  nccl_abi::Protocol protocol{};
  int channels = 0;
};

/// What a communicator has, as far as algorithms go.
struct Abilities {
  bool collnet = false;
  bool nvls = false;
  int channels = 1;
};

/// A communicator's part of the plugins that NCCL_TUNER_PLUGIN and NCCL_PROFILER_PLUGIN name.
class Plugins {
 public:
  /// @param name the communicator's, or null
  Plugins(std::uint64_t comm_id, const char* name, int nodes, int ranks, int rank);
  ~Plugins();
  Plugins(const Plugins&) = delete;
  Plugins& operator=(const Plugins&) = delete;
  Plugins(Plugins&&) = delete;
  Plugins& operator=(Plugins&&) = delete;

  /// The least cost of a table that prefers NVLS, then CollNet, then Ring; the tuner may change it.
  Choice choose(nccl_abi::Function function, std::size_t bytes, const Abilities& abilities) const;
  /// Tells the profiler of a collective that was enqueued.
  void report(const char* function, const char* datatype, std::size_t count, int root, const Choice& choice) const;

 private:
  const nccl_abi::TunerV5* tuner_ = nullptr;
  void* tuner_context_ = nullptr;
  const nccl_abi::ProfilerV5* profiler_ = nullptr;
  void* profiler_context_ = nullptr;
  int mask_ = 0;
  int rank_;
};

}  // namespace busbar::nccl::fake
