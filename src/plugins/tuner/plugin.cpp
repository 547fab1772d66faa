// What NCCL loads: its tuner interface, versions 3 to 6, asks the table. Nothing here fails towards NCCL.
#include "plugins/abi/tuner.h"
#include "plugins/tuner/index.h"
#include "plugins/tuner/tables.h"

namespace busbar::plugins {
namespace {

using namespace nccl_abi;

struct Context {
  Index index;
  std::uint64_t nodes = 0;
};

// No context: NCCL decides everything for this communicator.
void* make_context(std::size_t ranks, std::size_t nodes, Logger logger) noexcept {
  try {
    const auto table = Tables::of_process().current(logger);
    if (!table) return nullptr;
    return new Context{Index(rows_for(*table, nodes, ranks)), nodes};
  } catch (...) {
    return nullptr;  // out of memory
  }
}

// `*channels` stays as it is where the row has none.
void answer(const Context& context, const Question& question, Costs costs, int* channels) noexcept {
  Counts& counts = Tables::of_process().counts;
  counts.asked.fetch_add(1, std::memory_order_relaxed);
  const Decision decision = context.index.decide(question, costs);
  if (decision.unavailable > 0) counts.unavailable.fetch_add(decision.unavailable, std::memory_order_relaxed);
  if (decision.row == nullptr) return;
  const Row& row = *decision.row;
  counts.decided.fetch_add(1, std::memory_order_relaxed);
  costs.choose(row.algorithm, row.protocol);
  if (!row.channels) return;
  if (checks_channels(row.algorithm, context.nodes)) {
    *channels = *row.channels;
  } else {
    counts.channels_left.fetch_add(1, std::memory_order_relaxed);
  }
}

// NCCL's cost table is flat, whatever its type says.
Costs costs_of(float** table, int algorithm_count, int protocol_count) {
  return {reinterpret_cast<float*>(table), algorithm_count, protocol_count};
}

Result init_v5(void** context, std::uint64_t, std::size_t ranks, std::size_t nodes, Logger logger, NvlDomains*,
               TunerConstants*) noexcept {
  *context = make_context(ranks, nodes, logger);
  return success;
}

Result init_v3(std::size_t ranks, std::size_t nodes, Logger logger, void** context) noexcept {
  *context = make_context(ranks, nodes, logger);
  return success;
}

Result get_coll_info_v4(void* context, Function function, std::size_t bytes, int pipe_ops, float** costs,
                        int algorithm_count, int protocol_count, int registered, int* channels) noexcept {
  if (context == nullptr) return success;
  answer(*static_cast<const Context*>(context), {function, bytes, pipe_ops, registered != 0},
         costs_of(costs, algorithm_count, protocol_count), channels);
  return success;
}

Result get_coll_info_v3(void* context, Function function, std::size_t bytes, int pipe_ops, float** costs,
                        int algorithm_count, int protocol_count, int* channels) noexcept {
  if (context == nullptr) return success;
  answer(*static_cast<const Context*>(context), {function, bytes, pipe_ops, std::nullopt},
         costs_of(costs, algorithm_count, protocol_count), channels);
  return success;
}

Result finalize(void* context) noexcept {
  delete static_cast<Context*>(context);
  return success;
}

}  // namespace
}  // namespace busbar::plugins

// Without braces: within extern "C" { } a constant would stay in this file.
extern "C" const busbar::nccl_abi::TunerV6 ncclTunerPlugin_v6 = {
    "Busbar", busbar::plugins::init_v5, busbar::plugins::get_coll_info_v4, busbar::plugins::finalize, nullptr,
};

extern "C" const busbar::nccl_abi::TunerV5 ncclTunerPlugin_v5 = {
    "Busbar",
    busbar::plugins::init_v5,
    busbar::plugins::get_coll_info_v4,
    busbar::plugins::finalize,
};

extern "C" const busbar::nccl_abi::TunerV4 ncclTunerPlugin_v4 = {
    "Busbar",
    busbar::plugins::init_v3,
    busbar::plugins::get_coll_info_v4,
    busbar::plugins::finalize,
};

extern "C" const busbar::nccl_abi::TunerV3 ncclTunerPlugin_v3 = {
    "Busbar",
    busbar::plugins::init_v3,
    busbar::plugins::get_coll_info_v3,
    busbar::plugins::finalize,
};
