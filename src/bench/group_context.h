// What all visits of one group share on one of its ranks: control plane, synchronised clocks, channels, node leaders.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/group.h"
#include "bench/launch.h"
#include "bench/runtime.h"
#include "measure/clock_sync.h"
#include "measure/progress.h"
#include "measure/sampler.h"
#include "observe/counters.h"

namespace busbar {

class GroupContext {
 public:
  /// Collective over the members. `counters` may be null: then no node's counters are read.
  GroupContext(Runtime& runtime, const Launch& launch, Progress& progress, CounterReader* counters, const Group& group);

  /// Of all members, whatever their part: they start together.
  Control& control() { return *control_; }
  Rank rank_in_part() const { return rank_in_part_; }
  Sampler& sampler() { return *sampler_; }
  int nodes() const { return static_cast<int>(leaders_.size()); }

  /// The channel of this rank's part under `settings`, opened on first use. Collective.
  Channel& channel(const Settings& settings);

  /// One value per node, in the order of their first ranks, out of one value per rank; at rank 0.
  template <class T>
  std::vector<T> of_leaders(const std::vector<T>& by_rank) const {
    std::vector<T> values;
    for (const std::size_t leader : leaders_) values.push_back(by_rank.at(leader));
    return values;
  }

 private:
  bool leads_its_node() const;

  Runtime& runtime_;
  std::vector<Rank> part_;  ///< the members of this rank's communicator
  Rank rank_in_part_;
  std::unique_ptr<Control> control_;
  std::vector<std::size_t> leaders_;  ///< the first rank of each node, ranks in the group
  std::unique_ptr<ClockSync> sync_;
  std::unique_ptr<Sampler> sampler_;
  std::map<Settings, std::unique_ptr<Channel>> channels_;
};

}  // namespace busbar
