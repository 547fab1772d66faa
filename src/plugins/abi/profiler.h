// NCCL's profiler interface, versions 5 and 4, as binary layouts.
//
// Sources: v5 in NCCL 2.28.3 to 2.30.7, src/include/plugin/profiler/profiler_v5.h; v4 in 2.27.3 to 2.30.7,
// profiler_v4.h; the event types and what NCCL fills in, src/plugin/profiler.cc of 2.28.9. NCCL looks the symbols
// `ncclProfiler_v5` and `ncclProfiler_v4` up, newest first. NCCL before 2.27 knows neither.
#pragma once

#include "plugins/abi/types.h"

namespace busbar::nccl_abi {

/// The bits of the activation mask, one of which is the type of an event. Asking for an event brings those above it.
inline constexpr std::uint64_t event_group = 1U << 0;
inline constexpr std::uint64_t event_collective = 1U << 1;  ///< enqueued, with the algorithm NCCL chose
inline constexpr std::uint64_t event_p2p = 1U << 2;
inline constexpr std::uint64_t event_group_api = 1U << 8;       ///< from v5 on, as the next two:
inline constexpr std::uint64_t event_collective_api = 1U << 9;  ///< the user's call
inline constexpr std::uint64_t event_p2p_api = 1U << 10;

/// The user's call of a collective. Names are NUL-terminated, such as "AllReduce" and "ncclFloat32".
struct CollectiveApiEvent {
  const char* function;
  std::size_t count;  ///< elements, as passed
  const char* datatype;
  int root;
  void* stream;
  bool graph_captured;
};

struct P2pApiEvent {
  const char* function;
  std::size_t count;
  const char* datatype;
  void* stream;
  bool graph_captured;
};

/// A collective as enqueued. AllGather and Broadcast arrive as bytes: datatype "ncclInt8", count times the size.
struct CollectiveEventV4 {
  std::uint64_t sequence;
  const char* function;
  const void* send_buffer;
  void* receive_buffer;
  std::size_t count;
  int root;
  const char* datatype;
  std::uint8_t channels;  ///< 0 for CollNet and NVLS over several nodes: NCCL does not tell
  std::uint8_t warps;
  const char* algorithm;  ///< such as "RING"
  const char* protocol;   ///< such as "LL128"
};
struct CollectiveEventV5 {
  std::uint64_t sequence;
  const char* function;
  const void* send_buffer;
  void* receive_buffer;
  std::size_t count;
  int root;
  const char* datatype;
  std::uint8_t channels;
  std::uint8_t warps;
  const char* algorithm;
  const char* protocol;
  void* group;  ///< the handle of the group event
};

struct P2pEventV4 {
  const char* function;
  void* buffer;
  const char* datatype;
  std::size_t count;
  int peer;
  std::uint8_t channels;
};
struct P2pEventV5 {
  const char* function;
  void* buffer;
  const char* datatype;
  std::size_t count;
  int peer;
  std::uint8_t channels;
  void* group;
};

/// ncclProfilerEventDescr_v4_t and _v5_t, less the variants of events that are never asked for; all are smaller.
struct ProfilerEventV4 {
  std::uint8_t type;
  void* parent;  ///< the handle given for the group
  int rank;
  union {
    CollectiveEventV4 collective;
    P2pEventV4 p2p;
  };
};
struct ProfilerEventV5 {
  std::uint64_t type;
  void* parent;  ///< the handle given for the user's call
  int rank;
  union {
    CollectiveApiEvent collective_api;
    P2pApiEvent p2p_api;
    CollectiveEventV5 collective;
    P2pEventV5 p2p;
  };
};

struct ProfilerV4 {
  const char* name;
  Result (*init)(void** context, int* activation_mask, const char* comm_name, std::uint64_t comm_id, int nodes,
                 int ranks, int rank, Logger logger);
  Result (*start_event)(void* context, void** handle, ProfilerEventV4* event);
  Result (*stop_event)(void* handle);
  Result (*record_event_state)(void* handle, int state, void* arguments);
  Result (*finalize)(void* context);
};
struct ProfilerV5 {
  const char* name;
  Result (*init)(void** context, std::uint64_t comm_id, int* activation_mask, const char* comm_name, int nodes,
                 int ranks, int rank, Logger logger);
  Result (*start_event)(void* context, void** handle, ProfilerEventV5* event);
  Result (*stop_event)(void* handle);
  Result (*record_event_state)(void* handle, int state, void* arguments);
  Result (*finalize)(void* context);
};

static_assert(sizeof(ProfilerEventV4) == 104 && offsetof(ProfilerEventV4, collective) == 24);
static_assert(sizeof(ProfilerEventV5) == 112 && offsetof(ProfilerEventV5, collective) == 24);
static_assert(sizeof(ProfilerV4) == 48 && sizeof(ProfilerV5) == 48);

}  // namespace busbar::nccl_abi
