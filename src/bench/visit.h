// Carries out one request: a block of every variant at one point, in shuffled order.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/group_context.h"
#include "bench/request.h"
#include "bench/workload.h"

namespace busbar {

/// Carries out visits on this rank; keeps the groups that visits share.
class Visitor {
 public:
  using Emit = std::function<void(const nlohmann::json&)>;

  Visitor(Runtime& runtime, const Launch& launch, Progress& progress, CounterReader* counters);

  /// Of every rank of the launch.
  const std::vector<std::string>& hosts() const { return hosts_; }

  /// Why this visit cannot be made, in one sentence; rank 0 asks before it tells the others.
  std::optional<std::string> objection(const VisitRequest& visit) const;

  /// All workers call it; those outside the group return at once. `emit` is called at rank 0, once per block.
  void carry_out(const VisitRequest& visit, const Emit& emit);

 private:
  MemorySpace& memory_for(const OperationSpec& spec) const;
  std::optional<gpu::Health> health() const;
  GroupContext& context_of(const Group& group);
  void forget_unused_groups();
  nlohmann::json run_block(const VisitRequest& visit, const Variant& variant, GroupContext& group);

  Runtime& runtime_;
  const Launch& launch_;
  std::vector<std::string> hosts_;
  Progress& progress_;
  CounterReader* counters_;
  using Members = std::pair<std::vector<Rank>, std::vector<std::vector<Rank>>>;  ///< and parts
  struct Kept {
    std::unique_ptr<GroupContext> context;
    std::uint64_t last_visit = 0;
  };
  std::map<Members, Kept> groups_;
  std::uint64_t visits_ = 0;  ///< of the launch, those that this rank takes no part in as well
};

}  // namespace busbar
