#include "transport/tree/shape.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "core/error.h"

namespace busbar::tree {
namespace {

using HostEdges = std::map<std::string, std::string>;

constexpr auto accepted = "accepted: CHILD=PARENT,CHILD=PARENT by host, such as host1=leaf1,host2=leaf1,leaf1=spine";

HostEdges parse(const std::string& text) {
  HostEdges edges;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const std::string_view edge = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    const auto equals = edge.find('=');
    if (equals == std::string_view::npos || equals == 0 || equals + 1 == edge.size()) {
      throw UsageError(fmt::format("'{}' in tree '{}' names no child and parent; {}", edge, text, accepted));
    }
    const std::string child{edge.substr(0, equals)};
    if (!edges.emplace(child, edge.substr(equals + 1)).second) {
      throw UsageError(fmt::format("tree '{}' gives '{}' two parents; {}", text, child, accepted));
    }
  }
  if (edges.empty()) throw UsageError(fmt::format("a tree is empty; {}", accepted));
  return edges;
}

/// The one host that is a parent and no child; every other host leads there.
void check_shape(const HostEdges& edges, const std::string& text) {
  std::set<std::string> tops;
  for (const auto& [child, parent] : edges) {
    if (!edges.contains(parent)) tops.insert(parent);
  }
  if (tops.size() != 1) {
    throw UsageError(fmt::format("tree '{}' has {} tops ({}); accepted is one", text, tops.size(),
                                 tops.empty() ? "it goes in a circle" : fmt::format("{}", fmt::join(tops, ", "))));
  }
  for (const auto& [child, parent] : edges) {
    std::set<std::string> seen{child};
    for (auto at = edges.find(child); at != edges.end(); at = edges.find(at->second)) {
      if (!seen.insert(at->second).second) {
        throw UsageError(fmt::format("tree '{}' goes in a circle at '{}'; {}", text, child, accepted));
      }
    }
  }
}

/// For each parent host an aggregator of its own that no earlier tree took.
std::map<std::string, ProcessId> appoint(const HostEdges& edges, const std::vector<Place>& processes,
                                         std::set<ProcessId>& taken, const std::string& text) {
  std::map<std::string, ProcessId> appointed;
  for (const auto& [child, host] : edges) {
    if (appointed.contains(host)) continue;
    for (int p = 0; p < static_cast<int>(processes.size()); ++p) {
      const Place& place = processes[static_cast<std::size_t>(p)];
      if (place.role != Role::aggregator || place.host != host || taken.contains(ProcessId{p})) continue;
      appointed.emplace(host, p);
      taken.insert(ProcessId{p});
      break;
    }
    if (!appointed.contains(host)) {
      throw UsageError(
          fmt::format("tree '{}' needs an aggregator on host '{}' and none is free there; accepted are hosts with "
                      "one process of role aggregator for each tree",
                      text, host));
    }
  }
  return appointed;
}

Wiring wire_one(const std::string& text, const std::vector<Place>& processes, std::set<ProcessId>& taken) {
  const HostEdges edges = parse(text);
  check_shape(edges, text);
  const auto appointed = appoint(edges, processes, taken, text);
  Wiring wiring;
  for (int p = 0; p < static_cast<int>(processes.size()); ++p) {
    const Place& place = processes[static_cast<std::size_t>(p)];
    if (place.role != Role::worker) continue;
    const auto edge = edges.find(place.host);
    if (edge == edges.end()) {
      throw UsageError(fmt::format("tree '{}' has no parent for host '{}'; {}", text, place.host, accepted));
    }
    wiring.emplace(p, appointed.at(edge->second));
  }
  for (const auto& [host, process] : appointed) {
    const auto edge = edges.find(host);
    if (edge != edges.end()) wiring.emplace(process, appointed.at(edge->second));
  }
  return wiring;
}

std::vector<Wiring> one_each(const std::vector<Place>& processes) {
  std::vector<Wiring> wirings;
  for (int a = 0; a < static_cast<int>(processes.size()); ++a) {
    if (processes[static_cast<std::size_t>(a)].role != Role::aggregator) continue;
    Wiring& wiring = wirings.emplace_back();
    for (int p = 0; p < static_cast<int>(processes.size()); ++p) {
      if (processes[static_cast<std::size_t>(p)].role == Role::worker) wiring.emplace(p, a);
    }
  }
  return wirings;
}

/// Every node above the members with its children, not yet in any order.
std::map<ProcessId, Node> nodes_above(const Wiring& wiring, const std::vector<ProcessId>& members) {
  std::map<ProcessId, Node> nodes;
  for (std::size_t r = 0; r < members.size(); ++r) {
    const Rank rank{static_cast<int>(r)};
    ProcessId below = members[r];
    for (auto at = wiring.find(below); at != wiring.end(); at = wiring.find(below)) {
      Node& node = nodes[at->second];
      node.process = at->second;
      const auto known =
          std::find_if(node.children.begin(), node.children.end(), [&](const Child& c) { return c.process == below; });
      Child& child = known != node.children.end() ? *known : node.children.emplace_back(Child{below, {}});
      child.ranks.push_back(rank);
      below = at->second;
    }
  }
  return nodes;
}

}  // namespace

std::vector<Wiring> wire(const std::vector<std::string>& texts, const std::vector<Place>& processes) {
  if (texts.empty()) return one_each(processes);
  std::vector<Wiring> wirings;
  std::set<ProcessId> taken;
  for (const std::string& text : texts) wirings.push_back(wire_one(text, processes, taken));
  return wirings;
}

bool Child::has(Rank rank) const { return std::binary_search(ranks.begin(), ranks.end(), rank); }

Tree prune(const Wiring& wiring, const std::vector<ProcessId>& members) {
  auto nodes = nodes_above(wiring, members);
  Tree tree;
  for (const ProcessId member : members) tree.parents.push_back(wiring.at(member));

  ProcessId top = tree.parents.front();
  while (wiring.contains(top)) top = wiring.at(top);
  // A top with one node below it only passes on: the tree is as good without it.
  while (nodes.at(top).children.size() == 1 && nodes.contains(nodes.at(top).children.front().process)) {
    top = nodes.at(top).children.front().process;
  }
  std::vector<ProcessId> level{top};
  while (!level.empty()) {
    std::vector<ProcessId> below;
    for (const ProcessId process : level) {
      Node& node = nodes.at(process);
      if (process != top) node.parent = wiring.at(process);
      for (const Child& child : node.children) {
        if (nodes.contains(child.process)) below.push_back(child.process);
      }
      tree.nodes.push_back(node);
    }
    ++tree.levels;
    level = std::move(below);
  }
  return tree;
}

}  // namespace busbar::tree
