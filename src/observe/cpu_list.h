// The kernel's way of writing a set of processors: "0-3,8".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace busbar {

/// Ascending numbers as text; empty for none.
std::string to_cpu_list(const std::vector<int>& cpus);

/// The numbers of such a text, ascending as written; none for anything else, and for numbers no machine has.
std::optional<std::vector<int>> parse_cpu_list(std::string_view text);

}  // namespace busbar
