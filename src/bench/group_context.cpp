#include "bench/group_context.h"

#include <algorithm>
#include <set>

namespace busbar {
namespace {

// A search may try hundreds of settings, and a library has only so many communicators: beyond this, all are given back.
constexpr std::size_t most_channels = 32;

std::vector<std::size_t> first_of_each_host(const Launch& launch, const std::vector<Rank>& members) {
  std::vector<std::size_t> leaders;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto rank = static_cast<std::size_t>(members[i].value);
    if (seen.insert(launch.places.at(rank).host).second) leaders.push_back(i);
  }
  return leaders;
}

/// The index of every member's part; empty where the group is one.
std::vector<std::size_t> parts_of_members(const Group& group) {
  std::map<Rank, std::size_t> part_of;
  for (std::size_t p = 0; p < group.parts.size(); ++p) {
    for (const Rank r : group.parts[p]) part_of[r] = p;
  }
  std::vector<std::size_t> parts;
  for (const auto& [rank, part] : part_of) parts.push_back(part);  // members rise, as keys do
  return parts;
}

}  // namespace

GroupContext::GroupContext(Runtime& runtime, const Launch& launch, Progress& progress, CounterReader* counters,
                           const Group& group)
    : runtime_(runtime),
      control_(runtime.control_of(group.members)),
      leaders_(first_of_each_host(launch, group.members)) {
  const Rank self = group.members.at(static_cast<std::size_t>(control_->rank().value));
  const std::vector<std::size_t> part_of = parts_of_members(group);
  part_ = group.parts.empty() ? group.members
                              : group.parts.at(part_of.at(static_cast<std::size_t>(control_->rank().value)));
  rank_in_part_ = Rank{static_cast<int>(std::find(part_.begin(), part_.end(), self) - part_.begin())};
  sync_ = std::make_unique<ClockSync>(*control_, runtime.clock(),
                                      launch.places.at(static_cast<std::size_t>(self.value)).clock_key);
  sampler_ = std::make_unique<Sampler>(*control_, runtime.clock(), *sync_, progress,
                                       leads_its_node() ? counters : nullptr, part_of);
}

Channel& GroupContext::channel(const Settings& settings) {
  const auto found = channels_.find(settings);
  if (found != channels_.end()) return *found->second;
  if (channels_.size() >= most_channels) channels_.clear();
  return *channels_.emplace(settings, runtime_.transport().open(part_, settings)).first->second;
}

bool GroupContext::leads_its_node() const {
  const auto self = static_cast<std::size_t>(control_->rank().value);
  return std::find(leaders_.begin(), leaders_.end(), self) != leaders_.end();
}

}  // namespace busbar
