// One block of samples as the `block` answer of results/README.md.
#pragma once

#include <array>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/request.h"
#include "measure/sampler.h"
#include "observe/counters.h"

namespace busbar {

/// Everything known of a block besides its samples.
struct BlockFacts {
  std::string_view transport;
  std::string_view memory;
  std::string variant{};
  int nodes = 1;
  int threads = 1;  ///< ranks of each process
  std::uint64_t algorithm_bytes = 0;
  double bus_factor = 1;
  Nanoseconds launch_began{};
  double prepare_us = 0;
  std::uint64_t checked_elements = 0;
  std::uint64_t wrong_elements = 0;
  /// Bytes sent and received per node of the group during sampling; null where a node's counters could not be read.
  std::vector<std::optional<double>> tx_bytes{};
  std::vector<std::optional<double>> rx_bytes{};
  /// Faults counted on all nodes during sampling; null where nothing counts them.
  std::array<std::optional<std::uint64_t>, fault_count> faults{};
  /// Signs of congestion on all nodes, likewise.
  std::array<std::optional<std::uint64_t>, congestion_count> congestion{};
  Observation observation{};
  /// Whether any rank's GPU slowed its clocks; null without a GPU, or where it cannot be asked.
  std::optional<bool> throttled{};
  /// One JSON text per rank; empty without GPUs.
  std::vector<std::string> gpu_health{};
  /// What NVLink carried, one JSON text per rank; empty without GPUs.
  std::vector<std::string> nvlink{};
};

nlohmann::json block_json(const VisitRequest& visit, const Samples& samples, const BlockFacts& facts);

}  // namespace busbar
