#include "collectives/schedules/steps.h"

#include <algorithm>
#include <utility>

namespace busbar::schedules {

Span Chunks::operator[](int index) const {
  const auto chunk = static_cast<std::size_t>(wrap(index, ranks_));
  const std::size_t even = elements_ / ranks();
  const std::size_t longer = elements_ % ranks();
  return Span{buffer_, chunk * even + std::min(chunk, longer), even + (chunk < longer ? 1U : 0U)};
}

void add_send(Step& step, Rank to, Span data) {
  if (data.count > 0) step.sends.push_back(Send{to, data});
}

void add_receive(Step& step, Rank from, Span data) {
  if (data.count > 0) step.receives.push_back(Receive{from, data});
}

void append(Schedule& schedule, Step step) {
  const bool empty = step.before.empty() && step.sends.empty() && step.receives.empty() && step.after.empty();
  if (!empty) schedule.steps.push_back(std::move(step));
}

LocalWork copy(Span source, Span destination) { return LocalWork{LocalWork::Kind::copy, source, destination}; }
LocalWork reduce(Span source, Span destination) { return LocalWork{LocalWork::Kind::reduce, source, destination}; }
LocalWork average(Span destination) { return LocalWork{LocalWork::Kind::average, Span{}, destination}; }

void add_work(std::vector<LocalWork>& works, const LocalWork& work) {
  if (work.destination.count > 0) works.push_back(work);
}

void append_work(Schedule& schedule, const LocalWork& work) {
  Step step;
  add_work(step.after, work);
  append(schedule, std::move(step));
}

void append_send(Schedule& schedule, Rank to, Span data) {
  Step step;
  add_send(step, to, data);
  append(schedule, std::move(step));
}

void append_receive(Schedule& schedule, Rank from, Span data) {
  Step step;
  add_receive(step, from, data);
  append(schedule, std::move(step));
}

void append_exchange(Schedule& schedule, Rank to, Span outgoing, Rank from, Span incoming) {
  Step step;
  add_send(step, to, outgoing);
  add_receive(step, from, incoming);
  append(schedule, std::move(step));
}

}  // namespace busbar::schedules
