#include "plugins/tuner/index.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace busbar::plugins {
namespace {

// 12 MiB of lists. The largest table there can be, with ranges that do not overlap, has a fifth of that.
constexpr std::size_t most_listed = 1U << 20;

/// Where a row begins to hold, or ceases to.
struct Edge {
  std::uint64_t bytes;
  std::uint32_t row;
  bool begins;
  bool operator<(const Edge& other) const { return bytes < other.bytes; }
};

/// What makes the first of several rows stand for all of them.
auto kind_of(const Row& row) { return std::make_tuple(row.algorithm, row.protocol, row.pipe_ops, row.registered); }

std::vector<Edge> edges_of(const std::vector<Row>& rows, nccl_abi::Function function) {
  std::vector<Edge> edges;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].function != function) continue;
    const auto number = static_cast<std::uint32_t>(i);
    edges.push_back({rows[i].min_bytes, number, true});
    if (rows[i].max_bytes != std::numeric_limits<std::uint64_t>::max()) {
      edges.push_back({rows[i].max_bytes + 1, number, false});
    }
  }
  std::sort(edges.begin(), edges.end());
  return edges;
}

}  // namespace

Index::Index(std::vector<Row> rows) : rows_(std::move(rows)) {
  for (int function = 0; function < nccl_abi::tuned_functions && !walks_; ++function) {
    walks_ = !arrange(static_cast<nccl_abi::Function>(function));
  }
  listed_.shrink_to_fit();
}

// A sweep over the sizes: at each cut some rows begin and some end, and of those that hold the first of each kind is
// listed. False: too much.
bool Index::arrange(nccl_abi::Function function) {
  const std::vector<Edge> edges = edges_of(rows_, function);
  if (edges.empty()) return true;
  Sizes& sizes = sizes_[static_cast<std::size_t>(function)];
  std::map<decltype(kind_of(rows_.front())), std::set<std::uint32_t>> holding;
  std::vector<std::uint32_t> first_of_each;
  const auto list_from = [&](std::uint64_t cut) {
    sizes.cuts.push_back(cut);
    sizes.lists.push_back(static_cast<std::uint32_t>(listed_.size()));
    first_of_each.clear();
    for (const auto& [kind, numbers] : holding) first_of_each.push_back(*numbers.begin());
    std::sort(first_of_each.begin(), first_of_each.end());
    for (const std::uint32_t number : first_of_each) listed_.push_back(listed(rows_[number], number));
  };
  if (edges.front().bytes > 0) list_from(0);
  for (auto edge = edges.begin(); edge != edges.end();) {
    const std::uint64_t cut = edge->bytes;
    for (; edge != edges.end() && edge->bytes == cut; ++edge) {
      const auto kind = kind_of(rows_[edge->row]);
      auto& numbers = holding[kind];
      if (edge->begins) numbers.insert(edge->row);
      if (!edge->begins) numbers.erase(edge->row);
      if (numbers.empty()) holding.erase(kind);
    }
    list_from(cut);
    if (listed_.size() > most_listed) return false;
  }
  sizes.lists.push_back(static_cast<std::uint32_t>(listed_.size()));
  sizes.note_bits();
  return true;
}

void Index::Sizes::note_bits() {
  const auto last_at_or_below = [this](std::uint64_t bytes) {
    return static_cast<std::uint32_t>(std::upper_bound(cuts.begin(), cuts.end(), bytes) - cuts.begin() - 1);
  };
  for (unsigned bits = 1; bits <= 64; ++bits) by_bits[bits] = last_at_or_below(std::uint64_t{1} << (bits - 1));
  by_bits[65] = static_cast<std::uint32_t>(cuts.size() - 1);
}

std::size_t Index::Sizes::find(std::uint64_t bytes) const {
  const auto bits = static_cast<std::size_t>(std::bit_width(bytes));
  const std::uint64_t* cut = cuts.data() + by_bits[bits];
  // Without a jump that depends on the size: a wrong guess of the processor costs more than a step.
  for (std::size_t left = by_bits[bits + 1] - by_bits[bits] + 1; left > 1;) {
    const std::size_t half = left / 2;
    cut = cut[half] <= bytes ? cut + half : cut;
    left -= half;
  }
  return static_cast<std::size_t>(cut - cuts.data());
}

Index::Listed Index::listed(const Row& row, std::size_t number) {
  return {.row = static_cast<std::uint32_t>(number),
          .pipe_ops = row.pipe_ops.value_or(0),
          .registered = static_cast<std::int8_t>(row.registered ? (*row.registered ? 1 : 0) : -1),
          .algorithm = static_cast<std::uint8_t>(row.algorithm),
          .protocol = static_cast<std::uint8_t>(row.protocol)};
}

Decision Index::decide(const Question& question, const Costs& costs) const {
  if (walks_) return plugins::decide(rows_, question, costs);
  if (question.function < 0 || question.function >= nccl_abi::tuned_functions) return {};
  const Sizes& sizes = sizes_[static_cast<std::size_t>(question.function)];
  if (sizes.cuts.empty()) return {};
  const std::size_t at = sizes.find(question.bytes);
  const int registered = question.registered ? (*question.registered ? 1 : 0) : -1;
  Decision decision;
  for (std::uint32_t i = sizes.lists[at]; i < sizes.lists[at + 1]; ++i) {
    const Listed& one = listed_[i];
    if (one.pipe_ops != 0 && one.pipe_ops != question.pipe_ops) continue;
    if (one.registered != -1 && one.registered != registered) continue;
    if (costs.available(static_cast<nccl_abi::Algorithm>(one.algorithm),
                        static_cast<nccl_abi::Protocol>(one.protocol))) {
      decision.row = &rows_[one.row];
      break;
    }
    ++decision.unavailable;
  }
  return decision;
}

}  // namespace busbar::plugins
