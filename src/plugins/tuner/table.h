// The decision table: which algorithm, protocol and channels for which collective. The text's form is described in
// src/plugins/README.md.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/abi/types.h"

namespace busbar::plugins {

/// One row. A condition that is none accepts all.
struct Row {
  nccl_abi::Function function{};
  std::uint64_t min_bytes = 0;
  std::uint64_t max_bytes = 0;  ///< inclusive
  nccl_abi::Algorithm algorithm{};
  nccl_abi::Protocol protocol{};
  std::optional<int> channels;  ///< 1 to max_channels; none: as NCCL would
  std::optional<std::uint64_t> nodes;
  std::optional<std::uint64_t> ranks;
  std::optional<int> pipe_ops;
  std::optional<bool> registered;
};

/// The first row that fits wins.
struct Table {
  std::vector<Row> rows;
  std::string made_for;  ///< "fabric IB NDR, nccl 2.28.9", from the comments at the top; "" where there are none
};

/// The culprit and what is accepted, in one sentence.
class MalformedTable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// @throws MalformedTable, std::bad_alloc
Table parse_table(std::string_view text);

/// @throws MalformedTable where the file cannot be read, too
Table read_table(const std::string& path);

}  // namespace busbar::plugins
