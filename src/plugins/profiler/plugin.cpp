// What NCCL loads: events of its profiler interface, versions 5 and 4, become records. Nothing here fails towards NCCL.
#include <atomic>

#include "plugins/abi/profiler.h"
#include "plugins/profiler/registry.h"

namespace busbar::plugins {
namespace {

using namespace nccl_abi;

// The handle of a user's call, which NCCL hands back as the parent of what it enqueues for it: all that is asked of it
// is whether the call was captured. Two constants say that without memory to manage, however long a graph may live.
constexpr bool captured_call = true;
constexpr bool plain_call = false;

void* call_handle(bool captured) { return const_cast<bool*>(captured ? &captured_call : &plain_call); }

std::optional<bool> captured_by(const void* parent) {
  if (parent == &captured_call) return true;
  if (parent == &plain_call) return false;
  return std::nullopt;
}

template <typename CollectiveEvent>
Event collective(const CollectiveEvent& from, std::optional<bool> captured) {
  return {.stage = Stage::enqueued,
          .function = from.function,
          .datatype = from.datatype,
          .count = from.count,
          .root = from.root,
          .algorithm = from.algorithm,
          .protocol = from.protocol,
          .channels = from.channels,
          .warps = from.warps,
          .captured = captured};
}

// Peers are not told apart: an all-to-all would fill the table with them.
template <typename P2pEvent>
Event p2p(const P2pEvent& from, std::optional<bool> captured) {
  return {.stage = Stage::enqueued,
          .function = from.function,
          .datatype = from.datatype,
          .count = from.count,
          .channels = from.channels,
          .captured = captured};
}

Event call(const CollectiveApiEvent& from) {
  return {.stage = Stage::called,
          .function = from.function,
          .datatype = from.datatype,
          .count = from.count,
          .root = from.root,
          .captured = from.graph_captured};
}

Event call(const P2pApiEvent& from) {
  return {.stage = Stage::called,
          .function = from.function,
          .datatype = from.datatype,
          .count = from.count,
          .captured = from.graph_captured};
}

void open(void** context, int* mask, std::uint64_t wanted, const CommunicatorFacts& facts, Logger logger) {
  *context = &Registry::of_process().open(facts, logger);
  // NCCL reads the mask in other threads while communicators are made.
  std::atomic_ref(*mask).store(static_cast<int>(wanted), std::memory_order_relaxed);
}

CommunicatorFacts facts(std::uint64_t id, const char* name, int rank, int ranks, int nodes, int interface) {
  return {.id = id,
          .name = name == nullptr ? "" : name,
          .rank = rank,
          .ranks = ranks,
          .nodes = nodes,
          .interface = interface};
}

Result init_v5(void** context, std::uint64_t id, int* mask, const char* name, int nodes, int ranks, int rank,
               Logger logger) noexcept {
  try {
    open(context, mask, event_collective | event_p2p | event_collective_api | event_p2p_api,
         facts(id, name, rank, ranks, nodes, 5), logger);
  } catch (...) {
    *context = nullptr;  // out of memory: this communicator goes without
  }
  return success;
}

Result init_v4(void** context, int* mask, const char* name, std::uint64_t id, int nodes, int ranks, int rank,
               Logger logger) noexcept {
  try {
    open(context, mask, event_collective | event_p2p, facts(id, name, rank, ranks, nodes, 4), logger);
  } catch (...) {
    *context = nullptr;
  }
  return success;
}

Result start_v5(void* context, void** handle, ProfilerEventV5* event) noexcept {
  *handle = nullptr;  // NCCL then does not call again to end it
  if (context == nullptr) return success;
  RecordStore& records = static_cast<Communicator*>(context)->records;
  switch (event->type) {
    case event_collective: records.add(collective(event->collective, captured_by(event->parent))); break;
    case event_p2p: records.add(p2p(event->p2p, captured_by(event->parent))); break;
    case event_collective_api:
      records.add(call(event->collective_api));
      *handle = call_handle(event->collective_api.graph_captured);
      break;
    case event_p2p_api:
      records.add(call(event->p2p_api));
      *handle = call_handle(event->p2p_api.graph_captured);
      break;
    default: break;
  }
  return success;
}

Result start_v4(void* context, void** handle, ProfilerEventV4* event) noexcept {
  *handle = nullptr;
  if (context == nullptr) return success;
  RecordStore& records = static_cast<Communicator*>(context)->records;
  if (event->type == event_collective) records.add(collective(event->collective, std::nullopt));
  if (event->type == event_p2p) records.add(p2p(event->p2p, std::nullopt));
  return success;
}

Result stop(void*) noexcept { return success; }

Result record_state(void*, int, void*) noexcept { return success; }

Result finalize(void* context) noexcept {
  if (context == nullptr) return success;
  try {
    Registry::of_process().close(*static_cast<Communicator*>(context));
  } catch (...) {
    // Out of memory while writing: the file lacks this communicator.
  }
  return success;
}

}  // namespace
}  // namespace busbar::plugins

// Without braces: within extern "C" { } a constant would stay in this file.
extern "C" const busbar::nccl_abi::ProfilerV5 ncclProfiler_v5 = {
    "Busbar",
    busbar::plugins::init_v5,
    busbar::plugins::start_v5,
    busbar::plugins::stop,
    busbar::plugins::record_state,
    busbar::plugins::finalize,
};

extern "C" const busbar::nccl_abi::ProfilerV4 ncclProfiler_v4 = {
    "Busbar",
    busbar::plugins::init_v4,
    busbar::plugins::start_v4,
    busbar::plugins::stop,
    busbar::plugins::record_state,
    busbar::plugins::finalize,
};
