// The versions of NCCL's tuner interface behind one, each called as the NCCL that has it calls it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "plugins/abi/tuner.h"
#include "plugins/nccl_log.h"
#include "plugins/plugin_library.h"

namespace busbar::plugins::test {

/// What differs between versions: the order of arguments and what is told.
class TunerInterface {
 public:
  virtual ~TunerInterface() = default;
  virtual const char* name() const = 0;
  virtual nccl_abi::Result init(void** context, std::uint64_t id, std::size_t ranks, std::size_t nodes) const = 0;
  virtual nccl_abi::Result ask(void* context, nccl_abi::Function function, std::size_t bytes, int pipe_ops,
                               float** costs, int registered, int* channels) const = 0;
  virtual nccl_abi::Result finalize(void* context) const = 0;
  /// Whether it tells if buffers are registered.
  virtual bool tells_registration() const { return true; }
};

/// Interfaces 3 and 4: the context comes last, and nothing of the model can be changed.
template <typename Tuner>
class EarlyTuner final : public TunerInterface {
 public:
  explicit EarlyTuner(const Tuner* tuner) : tuner_(tuner) {}
  const char* name() const override { return tuner_->name; }
  nccl_abi::Result init(void** context, std::uint64_t, std::size_t ranks, std::size_t nodes) const override {
    return tuner_->init(ranks, nodes, NcclLog::logger, context);
  }
  nccl_abi::Result ask(void* context, nccl_abi::Function function, std::size_t bytes, int pipe_ops, float** costs,
                       [[maybe_unused]] int registered, int* channels) const override {
    if constexpr (std::is_same_v<Tuner, nccl_abi::TunerV3>) {
      return tuner_->get_coll_info(context, function, bytes, pipe_ops, costs, nccl_abi::algorithms, nccl_abi::protocols,
                                   channels);
    } else {
      return tuner_->get_coll_info(context, function, bytes, pipe_ops, costs, nccl_abi::algorithms, nccl_abi::protocols,
                                   registered, channels);
    }
  }
  nccl_abi::Result finalize(void* context) const override { return tuner_->destroy(context); }
  bool tells_registration() const override { return !std::is_same_v<Tuner, nccl_abi::TunerV3>; }

 private:
  const Tuner* tuner_;
};

/// Interfaces 5 and 6: they hand the constants of NCCL's model over, after the search for rings and trees and before
/// the model is made of them.
template <typename Tuner>
class LateTuner final : public TunerInterface {
 public:
  explicit LateTuner(const Tuner* tuner) : tuner_(tuner) {}
  const char* name() const override { return tuner_->name; }
  nccl_abi::Result init(void** context, std::uint64_t id, std::size_t ranks, std::size_t nodes) const override {
    nccl_abi::NvlDomains domains{static_cast<int>(nodes), static_cast<int>(ranks / nodes),
                                 static_cast<int>(ranks / nodes)};
    nccl_abi::TunerConstants constants{};
    constants.base_latencies[nccl_abi::ring][nccl_abi::simple] = 8.4;
    const auto result = tuner_->init(context, id, ranks, nodes, NcclLog::logger, &domains, &constants);
    EXPECT_EQ(constants.base_latencies[nccl_abi::ring][nccl_abi::simple], 8.4);
    return result;
  }
  nccl_abi::Result ask(void* context, nccl_abi::Function function, std::size_t bytes, int pipe_ops, float** costs,
                       int registered, int* channels) const override {
    return tuner_->get_coll_info(context, function, bytes, pipe_ops, costs, nccl_abi::algorithms, nccl_abi::protocols,
                                 registered, channels);
  }
  nccl_abi::Result finalize(void* context) const override { return tuner_->finalize(context); }

 private:
  const Tuner* tuner_;
};

/// What a NCCL whose newest interface is `newest` finds in a plugin: it looks from the newest down. Null: nothing.
inline std::unique_ptr<TunerInterface> find_tuner(const PluginLibrary& library, int newest) {
  for (int version = newest; version >= 3; --version) {
    const std::string symbol = "ncclTunerPlugin_v" + std::to_string(version);
    const void* const found = library.symbol<void>(symbol.c_str());
    if (found == nullptr) continue;
    switch (version) {
      case 6: return std::make_unique<LateTuner<nccl_abi::TunerV6>>(static_cast<const nccl_abi::TunerV6*>(found));
      case 5: return std::make_unique<LateTuner<nccl_abi::TunerV5>>(static_cast<const nccl_abi::TunerV5*>(found));
      case 4: return std::make_unique<EarlyTuner<nccl_abi::TunerV4>>(static_cast<const nccl_abi::TunerV4*>(found));
      case 3: return std::make_unique<EarlyTuner<nccl_abi::TunerV3>>(static_cast<const nccl_abi::TunerV3*>(found));
      default: continue;
    }
  }
  return nullptr;
}

}  // namespace busbar::plugins::test
