// When a block has enough samples. One rule, asked between batches; rank 0 asks it and tells the others, so that all
// ranks decide together.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace busbar {

/// Why sampling ended.
enum class StopReason { relative_ci, max_samples, max_seconds };

/// The reason's name in the record.
std::string_view name(StopReason reason);

struct StoppingLimits {
  /// Enough when half the median's 95 % interval is at most this share of the median.
  double relative_ci = 0.02;
  /// Not before so many samples. The interval needs six of its own.
  std::size_t min_samples = 10;
  std::size_t max_samples = 1000;
  /// Time spent on the block's samples, waiting for their start included.
  double max_seconds = 1.0;

  /// Throws UsageError, one sentence, for a value outside its range.
  void validate() const;
};

class StoppingRule {
 public:
  /// Throws UsageError as `StoppingLimits::validate` does.
  explicit StoppingRule(StoppingLimits limits);

  /// The reason to stop, if there is one. `elapsed_seconds`: since the block's first sample began.
  ///
  /// A time limit that waits for `min_samples` is none when one sample takes a minute, so `max_seconds` ends a block
  /// from its first sample on; the record then shows fewer samples than asked for, with the reason `max_seconds`. The
  /// other two never end it before `min_samples`. Where several reasons hold, the one that says most about the samples
  /// is given: relative_ci, then max_samples, then max_seconds.
  std::optional<StopReason> decide(std::span<const double> samples, double elapsed_seconds);

  /// How many samples to take before asking again; at least one. Grows with the samples there are, so that all
  /// decisions together cost little, and looks at the time left, so that `max_seconds` is overshot by no more than one
  /// sample as long as the pace holds.
  std::size_t batch(std::size_t samples, double elapsed_seconds) const;

 private:
  StoppingLimits limits_;
  std::vector<double> scratch_;  // kept between decisions: copying is cheap, allocating need not be
};

}  // namespace busbar
