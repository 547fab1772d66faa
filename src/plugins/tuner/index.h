// The rows of one communicator, arranged so that a decision does not walk through all of them.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "plugins/tuner/decision.h"
#include "plugins/tuner/table.h"

namespace busbar::plugins {

/// Answers as `decide` does over all rows: the first that fits and is available. For each function the sizes are cut
/// where a row begins or ends; between two cuts the same rows hold, and they are listed there in the table's order.
/// Of rows that differ in size and channels only, a list has the first: where that one is not available, neither are
/// the others. So lists are short, and a decision takes a search among the cuts and a look at one list.
class Index {
 public:
  /// @throws std::bad_alloc
  explicit Index(std::vector<Row> rows);

  /// As `decide` over `rows()`. `unavailable` counts rows passed over that are listed, which are fewer.
  Decision decide(const Question& question, const Costs& costs) const;

  const std::vector<Row>& rows() const { return rows_; }
  /// Whether the lists would have been too long, as from rows that overlap by the thousand, each with conditions of its
  /// own: decisions then walk through all rows.
  bool walks() const { return walks_; }

 private:
  /// What a decision needs of a row, in 12 bytes.
  struct Listed {
    std::uint32_t row;
    std::int32_t pipe_ops;   ///< 0: any
    std::int8_t registered;  ///< -1: any
    std::uint8_t algorithm;
    std::uint8_t protocol;
  };
  struct Sizes {
    std::vector<std::uint64_t> cuts;   ///< rising from 0; a cut's list holds up to the next cut
    std::vector<std::uint32_t> lists;  ///< where each begins in `listed_`, and where the last one ends
    /// By the number of a size's bits: the last cut at or below the smallest such size; beyond them, the last cut.
    /// Ranges of sizes tend to be as wide as the sizes are large, so this leaves a few to search.
    std::array<std::uint32_t, 66> by_bits{};

    void note_bits();
    /// The list that holds for so many bytes.
    std::size_t find(std::uint64_t bytes) const;
  };

  bool arrange(nccl_abi::Function function);
  static Listed listed(const Row& row, std::size_t number);

  std::vector<Row> rows_;
  std::array<Sizes, nccl_abi::tuned_functions> sizes_;
  std::vector<Listed> listed_;
  bool walks_ = false;
};

}  // namespace busbar::plugins
