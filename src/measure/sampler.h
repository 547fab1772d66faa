// Takes the samples of one block: synchronised starts, the timed region, and nothing else in it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "measure/clock.h"
#include "measure/clock_sync.h"
#include "measure/control.h"
#include "measure/progress.h"
#include "measure/stopping.h"
#include "observe/counters.h"
#include "transport/transport.h"

namespace busbar {

/// What is sampled: a prepared operation, and what must happen around it outside the timed region.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual Operation& operation() = 0;
  /// Puts input `slot` where the operation reads it; only in-place operations have work to do here.
  virtual void renew(int slot) = 0;
  /// Spoils the output, so that an operation that does nothing is found out.
  virtual void poison() = 0;
  /// A pipelined batch leaves an answer that can be verified; in place it does not, the inputs are used up.
  virtual bool survives_batch() const = 0;
};

/// What sampling is to obey.
struct SamplingPlan {
  bool pipelined = false;
  double time_share = 1.0;  ///< Traits::time_share
  StoppingLimits stopping;
  /// Between one sample's end and the next one's start, at least: links shaped by a token bucket need it to fill again.
  Nanoseconds rest{};
  int warmup_samples = 2;  ///< with no time either: none at all, not even a first one
  double warmup_seconds = 0.02;
};

/// What a block of samples was; complete at rank 0, other ranks know `executions` and `last_slot` only.
struct Samples {
  std::vector<double> samples_us;
  std::vector<std::optional<int>> late_rank;
  std::vector<int> last_rank;
  std::vector<double> arrival_us;  ///< median per rank
  std::vector<double> finish_us;   ///< median per rank
  std::vector<std::vector<double>>
      parts_us;                   ///< per part and sample, its slowest rank's time; empty where there is one
  std::vector<double> device_us;  ///< per sample, the slowest rank's own device time; empty where there is no device
  double mean_of_ranks_us = 0;    ///< mean over samples and ranks of each rank's own duration, per execution
  double root_mean_us = 0;        ///< the same for rank 0 alone
  std::vector<std::size_t> spoiled;
  Counters counters;  ///< growth while sampling, on this rank
  StopReason stop_reason = StopReason::max_samples;
  Nanoseconds first_start{};  ///< on rank 0's clock
  Nanoseconds clock_error{};
  std::optional<double> first_call_us;  ///< none where nothing ran before the samples
  std::uint64_t executions = 0;         ///< all executions since sampling began
  int last_slot = 0;                    ///< the input whose answer is now in the output
};

/// One for a group; all its ranks call the same functions in the same order.
class Sampler {
 public:
  /// @param counters of this rank's node where this rank watches them, which one rank a node does; else null
  /// @param part_of by rank: which of the communicators that work side by side it is in; empty: there is one
  Sampler(Control& control, const Clock& clock, ClockSync& sync, Progress& progress, CounterReader* counters,
          std::vector<std::size_t> part_of = {});

  /// The point's very first execution and the warm-up, untimed but for the first call's duration.
  void warm_up(Subject& subject, const SamplingPlan& plan);

  /// Samples until the rule says stop, then one more with a poisoned output, for verification.
  Samples sample(Subject& subject, const SamplingPlan& plan);

 private:
  struct Offsets {
    double start_us;   ///< of this rank's start after the agreed one
    double finish_us;  ///< of this rank's finish after the agreed start
    double notice_us;  ///< from rank 0 naming the start to this rank knowing it
    double device_us;  ///< on the device's own clock; negative where there is none
    bool spoiled;      ///< this rank's node counted a fault meanwhile
  };

  Offsets execute(Subject& subject, int slot, int batch);
  /// A start that rank 0 has named, on its clock.
  struct Start {
    Nanoseconds named;
    Nanoseconds at;
  };
  Start agree_on_start();
  void sample_until(StoppingRule rule, Subject& subject, const SamplingPlan& plan, Samples& into);
  /// `count` samples, and what they mean, gathered at rank 0.
  void take(Subject& subject, const SamplingPlan& plan, std::size_t count, Samples& into);
  void merge(const SamplingPlan& plan, std::size_t count, Samples& into);
  void mark_own(std::size_t count);
  bool fault_since_last_look();
  /// This node's counters when all that was sent has arrived.
  Counters settled_counters();
  void adapt_lead(std::vector<double> notices_us);
  void summarise_ranks(const SamplingPlan& plan, Samples& into);

  Control& control_;
  const Clock& clock_;
  ClockSync& sync_;
  Progress& progress_;
  CounterReader* counters_;
  std::vector<std::size_t> part_of_;
  Nanoseconds lead_;  ///< from agreeing on a start to the start, to reach everyone in time
  Nanoseconds rest_{};
  int batch_ = 1;
  std::optional<double> first_call_us_;
  Counters quick_before_;     ///< compared with other quick readings only
  std::vector<Offsets> own_;  ///< this rank's offsets of the whole block
  int next_slot_ = 0;
  Nanoseconds first_start_{};
};

}  // namespace busbar
