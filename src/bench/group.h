// Which ranks carry an operation out: one communicator of all, or several side by side that do the same at the same
// time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/units.h"

namespace busbar {

/// How members are divided where the request leaves it to where they run: one part per host, or one part of all ranks
/// that have the same index on their hosts (with a NIC per GPU and rails: one part per rail).
enum class Split : std::uint8_t { none, node, index };

constexpr std::string_view name(Split split) {
  constexpr std::string_view names[] = {"none", "node", "index"};
  return names[static_cast<std::size_t>(split)];
}

/// A named set of ranks of the launch, in their order.
struct Group {
  std::string name = "all";
  std::vector<Rank> members;  ///< rising; empty in a request: all ranks
  Split split = Split::none;
  /// Every member is in one of them, and all are of one size. Empty: the members are one communicator.
  std::vector<std::vector<Rank>> parts;

  /// Ranks of one communicator.
  int ranks_per_part() const { return static_cast<int>(parts.empty() ? members.size() : parts.front().size()); }
};

/// @param hosts of all ranks of the launch
/// @throws UsageError where the parts would not be of one size.
std::vector<std::vector<Rank>> split_members(Split split, const std::vector<Rank>& members,
                                             const std::vector<std::string>& hosts);

}  // namespace busbar
