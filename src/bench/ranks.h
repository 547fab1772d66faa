// Lists of ranks as people write them: "0-3,8".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/units.h"

namespace busbar {

/// Rising ranks; empty text gives none. @throws UsageError for anything else, so that one set of ranks has one text.
std::vector<Rank> parse_ranks(std::string_view text);

/// The shortest such list, runs of successors folded.
std::string format_ranks(const std::vector<Rank>& ranks);

}  // namespace busbar
