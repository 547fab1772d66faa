#include "transport/ucx/flow.h"

#include <algorithm>
#include <map>

namespace busbar::ucx {
namespace {

bool overlap(const Span& a, const Span& b) {
  return a.buffer == b.buffer && a.offset < b.offset + b.count && b.offset < a.offset + a.count;
}

bool touches(const LocalWork& work, const Span& span) {
  const bool reads = work.kind != LocalWork::Kind::average && overlap(work.source, span);
  return reads || overlap(work.destination, span);
}

bool touches(const std::vector<LocalWork>& works, const Span& span) {
  return std::any_of(works.begin(), works.end(), [&](const LocalWork& work) { return touches(work, span); });
}

bool messages_touch(const Step& step, const Span& span) {
  const auto meets = [&](const auto& message) { return overlap(message.data, span); };
  return std::any_of(step.sends.begin(), step.sends.end(), meets) ||
         std::any_of(step.receives.begin(), step.receives.end(), meets);
}

/// Whether what arrives early in `receive`'s memory can only take the place of what the same sender wrote before.
/// A message back to that sender may read it: a sender that waits for that message sends nothing before it has it.
bool only_the_sender_cares(const Schedule& schedule, const Receive& receive, bool sender_waits) {
  for (const Step& step : schedule.steps) {
    if (touches(step.before, receive.data) || touches(step.after, receive.data)) return false;
    for (const Send& s : step.sends) {
      if (overlap(s.data, receive.data) && !(s.to == receive.from && sender_waits)) return false;
    }
    for (const Receive& r : step.receives) {
      if (overlap(r.data, receive.data) && &r != &receive) return false;
    }
  }
  return true;
}

/// The earliest moment of the execution from which on nothing touches the memory that `step` receives `span` into.
Permission earliest(const Schedule& schedule, std::size_t step, const Span& span) {
  std::size_t s = step;
  while (true) {
    if (touches(schedule.steps[s].before, span)) return {Permission::Kind::when_told, s};
    if (s == 0) return {Permission::Kind::when_fresh, 0};
    const Step& previous = schedule.steps[s - 1];
    if (messages_touch(previous, span) || touches(previous.after, span)) return {Permission::Kind::when_told, s};
    --s;
  }
}

}  // namespace

bool streams(const Schedule& schedule) {
  if (schedule.steps.size() != 1) return false;
  const Step& step = schedule.steps.front();
  if (!step.before.empty() || !step.after.empty()) return false;
  for (const Receive& r : step.receives) {
    for (const Send& s : step.sends) {
      if (overlap(r.data, s.data)) return false;
    }
  }
  return true;
}

std::vector<Permission> permissions(Schedules& schedules, Rank self) {
  const Schedule& schedule = schedules.of(self);
  std::vector<Permission> all;
  std::map<Rank, Permission> last;  // by sender
  for (std::size_t s = 0; s < schedule.steps.size(); ++s) {
    for (const Receive& receive : schedule.steps[s].receives) {
      if (only_the_sender_cares(schedule, receive, !streams(schedules.of(receive.from)))) {
        all.push_back({});
        continue;
      }
      Permission permission = earliest(schedule, s, receive.data);
      const auto [before, first] = last.try_emplace(receive.from, permission);
      if (!first && before->second.kind == Permission::Kind::when_told) {
        permission = {Permission::Kind::when_told, std::max(permission.step, before->second.step)};
      }
      before->second = permission;
      all.push_back(permission);
    }
  }
  return all;
}

}  // namespace busbar::ucx
