#include "measure/stopping.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"
#include "measure/statistics.h"

namespace busbar {

std::string_view name(StopReason reason) {
  constexpr std::array<std::string_view, 3> names{"relative_ci", "max_samples", "max_seconds"};
  return names.at(static_cast<std::size_t>(reason));
}

void StoppingLimits::validate() const {
  if (!(relative_ci > 0.0 && relative_ci <= 1.0)) {
    throw UsageError(fmt::format("stopping.relative_ci is {}; it must be above 0 and at most 1", relative_ci));
  }
  if (min_samples < 1) throw UsageError("stopping.min_samples is 0; it must be at least 1");
  if (max_samples < min_samples) {
    throw UsageError(fmt::format("stopping.max_samples is {}; it must be at least stopping.min_samples, which is {}",
                                 max_samples, min_samples));
  }
  if (!(max_seconds > 0.0 && std::isfinite(max_seconds))) {
    throw UsageError(fmt::format("stopping.max_seconds is {}; it must be a number above 0", max_seconds));
  }
}

StoppingRule::StoppingRule(StoppingLimits limits) : limits_(limits) { limits_.validate(); }

std::optional<StopReason> StoppingRule::decide(std::span<const double> samples, double elapsed_seconds) {
  if (samples.empty()) return std::nullopt;
  if (samples.size() >= limits_.min_samples) {
    scratch_.assign(samples.begin(), samples.end());
    const auto width = estimate_median(scratch_).relative_half_width();
    if (width && *width <= limits_.relative_ci) return StopReason::relative_ci;
    if (samples.size() >= limits_.max_samples) return StopReason::max_samples;
  }
  if (elapsed_seconds >= limits_.max_seconds) return StopReason::max_seconds;
  return std::nullopt;
}

std::size_t StoppingRule::batch(std::size_t samples, double elapsed_seconds) const {
  // Half as many again: decisions at 10, 15, 22, 33, … handle three times the final number of samples in all, and at
  // most a third of the samples taken were not needed. Fewer looks also keep the interval honest: each is a chance to
  // stop by luck.
  constexpr std::size_t growth_divisor = 2;
  // Of the time left, so much at the pace so far: a pace that halves in the middle of a batch still ends it in time.
  constexpr double share_of_time_left = 0.5;

  if (samples == 0) return 1;  // nothing is known of the pace yet
  const std::size_t wanted = samples < limits_.min_samples ? limits_.min_samples - samples : samples / growth_divisor;
  const std::size_t allowed = samples < limits_.max_samples ? limits_.max_samples - samples : 1;
  const double per_sample = std::max(elapsed_seconds, 0.0) / static_cast<double>(samples);
  const double affordable = (limits_.max_seconds - elapsed_seconds) * share_of_time_left / std::max(per_sample, 1e-9);
  const double most = static_cast<double>(std::min(wanted, allowed));
  return static_cast<std::size_t>(std::max(1.0, std::min(affordable, most)));
}

}  // namespace busbar
