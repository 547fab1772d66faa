#include "bench/group.h"

#include <fmt/format.h>

#include <map>

#include "core/error.h"

namespace busbar {
namespace {

std::vector<std::vector<Rank>> by_host(const std::vector<Rank>& members, const std::vector<std::string>& hosts) {
  std::vector<std::vector<Rank>> parts;
  std::map<std::string, std::size_t> part_of;
  for (const Rank r : members) {
    const auto [found, is_new] = part_of.try_emplace(hosts.at(static_cast<std::size_t>(r.value)), parts.size());
    if (is_new) parts.emplace_back();
    parts[found->second].push_back(r);
  }
  return parts;
}

}  // namespace

std::vector<std::vector<Rank>> split_members(Split split, const std::vector<Rank>& members,
                                             const std::vector<std::string>& hosts) {
  if (split == Split::none) return {};
  const auto nodes = by_host(members, hosts);
  for (const auto& node : nodes) {
    if (node.size() == nodes.front().size()) continue;
    throw UsageError(fmt::format("split={} needs as many ranks on every host; {} has {} of the group and {} has {}",
                                 name(split), hosts.at(static_cast<std::size_t>(nodes.front().front().value)),
                                 nodes.front().size(), hosts.at(static_cast<std::size_t>(node.front().value)),
                                 node.size()));
  }
  if (split == Split::node) return nodes;
  std::vector<std::vector<Rank>> parts(nodes.front().size());
  for (const auto& node : nodes) {
    for (std::size_t i = 0; i < node.size(); ++i) parts[i].push_back(node[i]);
  }
  return parts;
}

}  // namespace busbar
