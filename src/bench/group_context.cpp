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

}  // namespace

GroupContext::GroupContext(Runtime& runtime, const Launch& launch, Progress& progress, CounterReader* counters,
                           const std::vector<Rank>& members)
    : runtime_(runtime),
      members_(members),
      control_(runtime.control_of(members)),
      leaders_(first_of_each_host(launch, members)) {
  const auto self = static_cast<std::size_t>(members_.at(static_cast<std::size_t>(control_->rank().value)).value);
  sync_ = std::make_unique<ClockSync>(*control_, runtime.clock(), launch.places.at(self).clock_key);
  sampler_ =
      std::make_unique<Sampler>(*control_, runtime.clock(), *sync_, progress, leads_its_node() ? counters : nullptr);
}

Channel& GroupContext::channel(const Settings& settings) {
  const auto found = channels_.find(settings);
  if (found != channels_.end()) return *found->second;
  if (channels_.size() >= most_channels) channels_.clear();
  return *channels_.emplace(settings, runtime_.transport().open(members_, settings)).first->second;
}

bool GroupContext::leads_its_node() const {
  const auto self = static_cast<std::size_t>(control_->rank().value);
  return std::find(leaders_.begin(), leaders_.end(), self) != leaders_.end();
}

}  // namespace busbar
