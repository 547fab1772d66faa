#include "transport/nccl/plan.h"

#include <algorithm>

#include "core/error.h"

namespace busbar::nccl {
namespace {

void append_copies(std::vector<LocalWork>& copies, const std::vector<LocalWork>& works) {
  for (const LocalWork& work : works) {
    if (work.kind != LocalWork::Kind::copy) {
      throw UsageError(
          "this schedule reduces between messages, and this transport reduces by NCCL alone; accepted is "
          "schedule=native");
    }
    copies.push_back(work);
  }
}

bool overlap(const Span& a, const Span& b) {
  return a.buffer == b.buffer && a.offset < b.offset + b.count && b.offset < a.offset + a.count;
}

/// Whether the step may be in flight together with the stage: every rank that exchanges in the one exchanges in the
/// other, and no data of the one is data of the other.
bool joins(const Stage& stage, const Step& step) {
  const auto exchanges = [](const auto& s) { return !s.sends.empty() && !s.receives.empty(); };
  if (!exchanges(stage) || !exchanges(step) || !step.before.empty()) return false;
  const auto touches = [](const auto& received, const auto& others) {
    return std::any_of(received.begin(), received.end(), [&](const Receive& r) {
      return std::any_of(others.begin(), others.end(), [&](const auto& other) { return overlap(r.data, other.data); });
    });
  };
  return !touches(stage.receives, step.sends) && !touches(stage.receives, step.receives) &&
         !touches(step.receives, stage.sends);
}

}  // namespace

Plan plan_of(const Schedule& schedule) {
  Plan plan;
  bool open = false;  // whether the next step may still join the last stage
  for (const Step& step : schedule.steps) {
    if (open && joins(plan.back(), step)) {
      Stage& last = plan.back();
      last.sends.insert(last.sends.end(), step.sends.begin(), step.sends.end());
      last.receives.insert(last.receives.end(), step.receives.begin(), step.receives.end());
    } else {
      Stage stage{.copies = {}, .sends = step.sends, .receives = step.receives};
      append_copies(stage.copies, step.before);
      plan.push_back(std::move(stage));
    }
    open = step.after.empty();
    if (!open) {
      plan.emplace_back();
      append_copies(plan.back().copies, step.after);
    }
  }
  return plan;
}

}  // namespace busbar::nccl
