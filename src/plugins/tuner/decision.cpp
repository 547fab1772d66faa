#include "plugins/tuner/decision.h"

#include <algorithm>
#include <iterator>

namespace busbar::plugins {
namespace {

using namespace nccl_abi;

template <typename T>
bool accepts(const std::optional<T>& condition, const std::optional<T>& value) {
  return !condition || condition == value;
}

bool fits(const Row& row, const Question& question) {
  return row.function == question.function && row.min_bytes <= question.bytes && question.bytes <= row.max_bytes &&
         accepts(row.pipe_ops, std::optional(question.pipe_ops)) && accepts(row.registered, question.registered);
}

}  // namespace

float* Costs::at(Algorithm algorithm, Protocol protocol) const {
  if (costs_ == nullptr || algorithm >= algorithms_ || protocol >= protocols_) return nullptr;
  return costs_ + algorithm * protocols_ + protocol;
}

bool Costs::available(Algorithm algorithm, Protocol protocol) const {
  const float* cost = at(algorithm, protocol);
  return cost != nullptr && *cost >= 0.0F;
}

void Costs::choose(Algorithm algorithm, Protocol protocol) {
  if (available(algorithm, protocol)) *at(algorithm, protocol) = 0.0F;  // predictions are above 0: a latency at least
}

Decision decide(std::span<const Row> rows, const Question& question, const Costs& costs) {
  Decision decision;
  for (const Row& row : rows) {
    if (!fits(row, question)) continue;
    if (costs.available(row.algorithm, row.protocol)) {
      decision.row = &row;
      break;
    }
    ++decision.unavailable;
  }
  return decision;
}

std::vector<Row> rows_for(const Table& table, std::uint64_t nodes, std::uint64_t ranks) {
  std::vector<Row> rows;
  std::copy_if(table.rows.begin(), table.rows.end(), std::back_inserter(rows), [&](const Row& row) {
    return accepts(row.nodes, std::optional(nodes)) && accepts(row.ranks, std::optional(ranks));
  });
  return rows;
}

bool checks_channels(Algorithm algorithm, std::uint64_t nodes) {
  return algorithm != collnet_direct && algorithm != collnet_chain && (algorithm != nvls || nodes == 1);
}

}  // namespace busbar::plugins
