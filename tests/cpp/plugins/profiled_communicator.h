// A communicator as NCCL 2.28.9 drives the profiler for it (src/plugin/profiler.cc, enqueue.cc): the same events, in
// the same order, with the same handles passed around, and only those that the plugin's mask asks for.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "plugins/abi/profiler.h"
#include "plugins/nccl_log.h"

namespace busbar::plugins::test {

struct Collective {
  const char* function = "AllReduce";
  std::size_t count = 1024;
  const char* datatype = "ncclFloat32";
  int root = 0;
  const char* algorithm = "RING";
  const char* protocol = "LL";
  std::uint8_t channels = 2;
  std::uint8_t warps = 16;
  bool captured = false;
};

struct CommunicatorPlace {
  std::uint64_t id = 0x1234;
  const char* name = nullptr;
  int nodes = 2;
  int ranks = 16;
  int rank = 3;
};

class ProfiledCommunicatorV5 {
 public:
  explicit ProfiledCommunicatorV5(const nccl_abi::ProfilerV5* plugin, const CommunicatorPlace& place = {})
      : plugin_(plugin), rank_(place.rank) {
    EXPECT_EQ(
        plugin->init(&context_, place.id, &mask_, place.name, place.nodes, place.ranks, place.rank, NcclLog::logger),
        nccl_abi::success);
  }

  /// A call on its own, outside any group of the user's.
  void run(const Collective& c) { enqueue(c, call(c)); }

  /// What a symmetric kernel leaves behind: the call, and nothing of how it ran.
  void* call(const Collective& c) {
    void* group = begin_group();
    nccl_abi::ProfilerEventV5 event{};
    event.type = nccl_abi::event_collective_api;
    event.parent = group;
    event.collective_api = {c.function, c.count, c.datatype, c.root, nullptr, c.captured};
    void* handle = start(event, nccl_abi::event_collective_api | nccl_abi::event_collective);
    stop(handle);
    end_group(group);
    return handle;
  }

  /// What the kernel plan's task does later; for a captured graph at every replay, in CUDA's callback thread.
  void enqueue(const Collective& c, void* call_handle) {
    nccl_abi::ProfilerEventV5 event{};
    event.type = nccl_abi::event_group;
    void* group = start(event, nccl_abi::event_group | nccl_abi::event_collective | nccl_abi::event_p2p);
    event = {};
    event.type = nccl_abi::event_collective;
    event.parent = call_handle;
    event.rank = rank_;
    event.collective = {sequence_++, c.function, nullptr, nullptr,     c.count,    c.root,
                        c.datatype,  c.channels, c.warps, c.algorithm, c.protocol, group};
    stop(start(event, nccl_abi::event_collective));
    stop(group);
  }

  /// One send or receive.
  void transfer(const char* function, std::size_t count, int peer, bool captured = false) {
    void* api_group = begin_group();
    nccl_abi::ProfilerEventV5 event{};
    event.type = nccl_abi::event_p2p_api;
    event.parent = api_group;
    event.p2p_api = {function, count, "ncclFloat16", nullptr, captured};
    void* call_handle = start(event, nccl_abi::event_p2p_api | nccl_abi::event_p2p);
    stop(call_handle);
    end_group(api_group);
    event = {};
    event.type = nccl_abi::event_p2p;
    event.parent = call_handle;
    event.rank = rank_;
    event.p2p = {function, nullptr, "ncclFloat16", count, peer, 4, nullptr};
    stop(start(event, nccl_abi::event_p2p));
  }

  /// NCCL leaves out communicators without a context.
  void finalize() {
    if (context_ != nullptr) {
      EXPECT_EQ(plugin_->finalize(context_), nccl_abi::success);
    }
  }

  int mask() const { return mask_; }

 private:
  void* begin_group() {
    nccl_abi::ProfilerEventV5 event{};
    event.type = nccl_abi::event_group_api;
    void* group = start(event, ~0U);
    if (group != nullptr) {
      EXPECT_EQ(plugin_->record_event_state(group, 23, nullptr), nccl_abi::success);
    }
    return group;
  }
  void end_group(void* group) {
    if (group != nullptr) {
      EXPECT_EQ(plugin_->record_event_state(group, 24, nullptr), nccl_abi::success);
    }
    stop(group);
  }

  void* start(nccl_abi::ProfilerEventV5& event, std::uint64_t bits) {
    void* handle = nullptr;
    if ((static_cast<std::uint64_t>(mask_) & bits) != 0) {
      EXPECT_EQ(plugin_->start_event(context_, &handle, &event), nccl_abi::success);
    }
    return handle;
  }
  void stop(void* handle) {
    if (handle != nullptr) {
      EXPECT_EQ(plugin_->stop_event(handle), nccl_abi::success);
    }
  }

  const nccl_abi::ProfilerV5* plugin_;
  int rank_;
  void* context_ = nullptr;
  int mask_ = 0;
  std::uint64_t sequence_ = 0;
};

/// The same of NCCL 2.27: no events of calls.
class ProfiledCommunicatorV4 {
 public:
  explicit ProfiledCommunicatorV4(const nccl_abi::ProfilerV4* plugin, const CommunicatorPlace& place = {})
      : plugin_(plugin) {
    EXPECT_EQ(
        plugin->init(&context_, &mask_, place.name, place.id, place.nodes, place.ranks, place.rank, NcclLog::logger),
        nccl_abi::success);
  }
  void run(const Collective& c) {
    nccl_abi::ProfilerEventV4 event{};
    event.type = static_cast<std::uint8_t>(nccl_abi::event_group);
    void* group = nullptr;
    EXPECT_EQ(plugin_->start_event(context_, &group, &event), nccl_abi::success);
    event = {};
    event.type = static_cast<std::uint8_t>(nccl_abi::event_collective);
    event.parent = group;
    event.collective = {0,          c.function, nullptr, nullptr,     c.count,   c.root,
                        c.datatype, c.channels, c.warps, c.algorithm, c.protocol};
    void* handle = nullptr;
    EXPECT_EQ(plugin_->start_event(context_, &handle, &event), nccl_abi::success);
    for (void* started : {handle, group}) {
      if (started != nullptr) {
        EXPECT_EQ(plugin_->stop_event(started), nccl_abi::success);
      }
    }
  }
  void finalize() { EXPECT_EQ(plugin_->finalize(context_), nccl_abi::success); }
  int mask() const { return mask_; }

 private:
  const nccl_abi::ProfilerV4* plugin_;
  void* context_ = nullptr;
  int mask_ = 0;
};

}  // namespace busbar::plugins::test
