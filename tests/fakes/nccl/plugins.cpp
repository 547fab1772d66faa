#include "fakes/nccl/plugins.h"

#include <dlfcn.h>

#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace busbar::nccl::fake {
namespace {

using nccl_abi::Algorithm;
using nccl_abi::Function;
using nccl_abi::Protocol;

using Costs = std::array<std::array<float, nccl_abi::protocols>, nccl_abi::algorithms>;

constexpr std::array<const char*, nccl_abi::algorithms> algorithm_names{
    "TREE", "RING", "COLLNET_DIRECT", "COLLNET_CHAIN", "NVLS", "NVLS_TREE", "PAT"};
constexpr std::array<const char*, nccl_abi::protocols> protocol_names{"LL", "LL128", "SIMPLE"};

template <class Interface>
const Interface* load(const char* variable, const char* symbol) {
  const char* const file = std::getenv(variable);
  if (file == nullptr) return nullptr;
  void* const handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  return handle == nullptr ? nullptr : static_cast<const Interface*>(dlsym(handle, symbol));
}

void log(nccl_abi::LogLevel level, unsigned long, const char*, int, const char* format, ...) {
  if (level != nccl_abi::log_warning) return;
  std::va_list arguments;
  va_start(arguments, format);
  std::vfprintf(stderr, format, arguments);
  va_end(arguments);
  std::fputc('\n', stderr);
}

/// Costs in µs; what the function or the communicator has not is nccl_abi::not_available.
Costs costs_of(Function function, const Abilities& abilities) {
  Costs costs{};
  for (auto& row : costs) row.fill(nccl_abi::not_available);
  const bool to_all =
      function == nccl_abi::all_reduce || function == nccl_abi::all_gather || function == nccl_abi::reduce_scatter;
  costs[nccl_abi::ring] = {32, 31, 30};
  if (function == nccl_abi::all_reduce) costs[nccl_abi::tree] = {42, 41, 40};
  if (abilities.collnet && to_all) costs[nccl_abi::collnet_direct][nccl_abi::simple] = 21;
  if (abilities.collnet && function == nccl_abi::all_reduce) costs[nccl_abi::collnet_chain][nccl_abi::simple] = 20;
  if (abilities.nvls && to_all) costs[nccl_abi::nvls][nccl_abi::simple] = 10;
  return costs;
}

}  // namespace

Plugins::Plugins(std::uint64_t comm_id, const char* name, int nodes, int ranks, int rank)
    : tuner_(load<nccl_abi::TunerV5>("NCCL_TUNER_PLUGIN", "ncclTunerPlugin_v5")),
      profiler_(load<nccl_abi::ProfilerV5>("NCCL_PROFILER_PLUGIN", "ncclProfiler_v5")),
      rank_(rank) {
  if (tuner_ != nullptr) {
    nccl_abi::NvlDomains domains{nodes, ranks / nodes, ranks / nodes};
    nccl_abi::TunerConstants constants{};
    tuner_->init(&tuner_context_, comm_id, static_cast<std::size_t>(ranks), static_cast<std::size_t>(nodes), log,
                 &domains, &constants);
  }
  if (profiler_ != nullptr) profiler_->init(&profiler_context_, comm_id, &mask_, name, nodes, ranks, rank, log);
}

Plugins::~Plugins() {
  if (tuner_ != nullptr) tuner_->finalize(tuner_context_);
  if (profiler_ != nullptr) profiler_->finalize(profiler_context_);
}

Choice Plugins::choose(Function function, std::size_t bytes, const Abilities& abilities) const {
  Costs costs = costs_of(function, abilities);
  int channels = 0;
  if (tuner_ != nullptr) {
    tuner_->get_coll_info(tuner_context_, function, bytes, 1, reinterpret_cast<float**>(costs.data()),
                          nccl_abi::algorithms, nccl_abi::protocols, 0, &channels);
  }
  Choice best;
  float least = -1;
  for (std::size_t a = 0; a < costs.size(); ++a) {
    for (std::size_t p = 0; p < costs[a].size(); ++p) {
      if (costs[a][p] < 0 || (least >= 0 && costs[a][p] >= least)) continue;
      least = costs[a][p];
      best = {static_cast<Algorithm>(a), static_cast<Protocol>(p), 0};
    }
  }
  best.channels = channels > 0 ? channels : abilities.channels;
  return best;
}

void Plugins::report(const char* function, const char* datatype, std::size_t count, int root,
                     const Choice& choice) const {
  if (profiler_ == nullptr || (static_cast<std::uint64_t>(mask_) & nccl_abi::event_collective) == 0) return;
  const bool is_collnet = choice.algorithm == nccl_abi::collnet_direct || choice.algorithm == nccl_abi::collnet_chain;
  nccl_abi::ProfilerEventV5 event{};
  event.type = nccl_abi::event_collective;
  event.rank = rank_;
  event.collective = {.sequence = 0,
                      .function = function,
                      .send_buffer = nullptr,
                      .receive_buffer = nullptr,
                      .count = count,
                      .root = root,
                      .datatype = datatype,
                      .channels = static_cast<std::uint8_t>(is_collnet ? 0 : choice.channels),
                      .warps = 16,
                      .algorithm = algorithm_names.at(static_cast<std::size_t>(choice.algorithm)),
                      .protocol = protocol_names.at(static_cast<std::size_t>(choice.protocol)),
                      .group = nullptr};
  void* handle = nullptr;
  profiler_->start_event(profiler_context_, &handle, &event);
  profiler_->stop_event(handle);
}

}  // namespace busbar::nccl::fake
