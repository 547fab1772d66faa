// Reduction in the network, in software: operations go through the launch's aggregators, which sit at the switches.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "transport/mpi_world.h"
#include "transport/transport.h"
#include "transport/tree/shape.h"

namespace busbar::mpi {

/// A variant's settings that concern reduction in the network.
struct TreeSettings {
  std::size_t chunk_bytes = 32 * 1024;  ///< below the eager limit of Open MPI's TCP, 64 KiB; larger ones handshake
  /// Chunks in flight on one tree. What is in flight beyond what the links hold waits in queues, and with TCP the
  /// acknowledgements of what comes down wait there too: on emulated links of 100 and 400 Mbit/s 4 reach 98 to 99 % of
  /// the line at 1 and 4 MiB, 8 reach 91 to 97 %. Faster and longer links want more.
  std::size_t window = 4;
  std::size_t trees = 0;  ///< 0: all that the launch has

  static bool has_key(const std::string& key);
  /// @throws UsageError naming the key and what it accepts.
  static TreeSettings parse(const Settings& settings);
};

/// The channel of a group under `settings`; collective over its members.
/// @param wirings the launch's trees, one at least
/// @param comm    the group's own communicator
std::unique_ptr<Channel> open_tree_channel(const World& world, const std::vector<tree::Wiring>& wirings,
                                           const std::vector<Rank>& members, const TreeSettings& settings,
                                           Communicator comm);

}  // namespace busbar::mpi
