// From a table and what NCCL asks to what is done: a pure function, so that all ranks decide alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "plugins/tuner/table.h"

namespace busbar::plugins {

/// What NCCL asks about. `bytes` is the larger of what a rank sends and receives: nccl-tests' size.
struct Question {
  nccl_abi::Function function{};
  std::uint64_t bytes = 0;
  int pipe_ops = 0;
  std::optional<bool> registered;  ///< none: interface 3 does not tell; rows that ask for either do not fit then
};

/// NCCL's predictions, µs: [algorithm][protocol], `not_available` for what must not be used.
class Costs {
 public:
  Costs(float* costs, int algorithms, int protocols) : costs_(costs), algorithms_(algorithms), protocols_(protocols) {}
  bool available(nccl_abi::Algorithm algorithm, nccl_abi::Protocol protocol) const;
  /// Makes NCCL take an available combination.
  void choose(nccl_abi::Algorithm algorithm, nccl_abi::Protocol protocol);

 private:
  float* at(nccl_abi::Algorithm algorithm, nccl_abi::Protocol protocol) const;
  float* costs_;
  int algorithms_, protocols_;
};

struct Decision {
  const Row* row = nullptr;     ///< null: NCCL decides
  std::size_t unavailable = 0;  ///< rows that fitted, but what they want is not available: as if they were not there
};

/// The first row that fits and whose algorithm and protocol are available. `rows` are those of one communicator. This
/// is the rule; `Index` answers the same faster.
Decision decide(std::span<const Row> rows, const Question& question, const Costs& costs);

/// The rows for communicators of that many nodes and ranks, in their order.
std::vector<Row> rows_for(const Table& table, std::uint64_t nodes, std::uint64_t ranks);

/// Whether NCCL compares a tuner's channels with those the communicator has. Where it does not (CollNet, and NVLS over
/// several nodes), too many would use channels that are not there, and how many there are is not told.
bool checks_channels(nccl_abi::Algorithm algorithm, std::uint64_t nodes);

}  // namespace busbar::plugins
