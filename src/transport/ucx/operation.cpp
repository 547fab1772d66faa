#include "transport/ucx/operation.h"

namespace busbar::ucx {

ScheduledOperation::ScheduledOperation(Program program, std::set<Rank> peers, const LocalWorker& local, Mesh& mesh,
                                       Carrier& carrier, std::size_t window)
    : program_(std::move(program)),
      peers_(std::move(peers)),
      local_(local),
      mesh_(mesh),
      carrier_(carrier),
      window_(program_.streams ? window : 1) {
  // One execution more than may be under way: it is posted before those before it are waited for.
  carrier_.reserve((window_ + 1) * program_.most_sends(), (window_ + 1) * program_.most_receives());
}

void ScheduledOperation::enqueue(int slot) {
  if (program_.streams) {
    stream(slot);
  } else {
    run_to_the_end(slot);
  }
  fresh_ = false;
}

void ScheduledOperation::run_to_the_end(int slot) {
  carrier_.begin(fresh_);
  if (!fresh_) {
    for (const Grant& g : program_.at_start) carrier_.grant(g);
  }
  for (const ProgramStep& step : program_.steps) {
    for (const LocalWork& work : step.before) local_.run(work, slot);
    for (const Grant& g : step.grants) carrier_.grant(g);
    for (const Incoming& m : step.receives) carrier_.post_receive(m, slot);
    for (const Outgoing& m : step.sends) carrier_.post_send(m, slot);
    carrier_.await_receives(0);
    carrier_.await_sends(0);
    for (const LocalWork& work : step.after) local_.run(work, slot);
  }
}

void ScheduledOperation::stream(int slot) {
  const ProgramStep& step = program_.steps.front();
  carrier_.begin(fresh_);
  post_held();
  for (const Outgoing& m : step.sends) carrier_.post_send(m, slot);
  if (!step.receives.empty()) carrier_.await_receives(window_ * step.receives.size());
  if (!step.sends.empty()) carrier_.await_sends(window_ * step.sends.size());
  held_ = slot;
}

void ScheduledOperation::post_held() {
  if (!held_) return;
  for (const Incoming& m : program_.steps.front().receives) carrier_.post_receive(m, *held_);
  held_.reset();
}

void ScheduledOperation::complete() {
  if (program_.streams) {
    carrier_.end_sends();
    carrier_.await_receives(0);
    post_held();
    carrier_.await_receives(0);
    carrier_.await_sends(0);
  }
  fresh_ = true;
}

}  // namespace busbar::ucx
