#include "measure/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "measure/statistics.h"

namespace busbar {
namespace {

// The time from naming a start to the start must cover the broadcast that spreads it, and little more: in a longer wait
// caches and predictors go cold, and the operation starts slower than in any program. So it follows what the broadcast
// was seen to take, by the median, since an interrupted rank says nothing of the next sample.
constexpr Nanoseconds first_lead{10'000};
constexpr Nanoseconds shortest_lead{1'000};
constexpr Nanoseconds longest_lead{10'000'000};
constexpr double lead_over_notice = 1.5;
// So few samples have no median to trust; the lead then changes by no more than a factor of two.
constexpr std::size_t few_notices = 5;

// Arrivals later than this, beyond what the clocks can tell apart, are called late: ten times what leaving the wait
// costs.
constexpr double late_us = 1.0;

// Reading the counters takes some 30 us: not between samples that it would disturb, but after each that is far longer.
constexpr double worth_a_look_us = 1000.0;

// A pipelined batch hides the start and the end among its executions: at least nccl-tests' default of 20, more while
// the batch is so short that reading the clock would show.
constexpr int least_batch = 20;
constexpr int most_batch = 1000;
constexpr double batch_us = 1000.0;

double us(Nanoseconds t) { return as_us(t); }

}  // namespace

Sampler::Sampler(Control& control, const Clock& clock, ClockSync& sync, Progress& progress, CounterReader* counters,
                 std::vector<std::size_t> part_of)
    : control_(control),
      clock_(clock),
      sync_(sync),
      progress_(progress),
      counters_(counters),
      part_of_(std::move(part_of)),
      lead_(first_lead) {}

Sampler::Start Sampler::agree_on_start() {
  progress_.enter(Phase::start, clock_.now());
  control_.barrier();
  Start start;
  start.named = sync_.to_global(clock_.now());
  start.at = start.named + std::max(lead_, rest_);
  broadcast_value(control_, start);
  return start;
}

Sampler::Offsets Sampler::execute(Subject& subject, int slot, int batch) {
  subject.renew(slot);
  Operation& operation = subject.operation();
  const Start agreed = agree_on_start();
  const Nanoseconds local = sync_.to_local(agreed.at);
  const Nanoseconds known = clock_.now();
  progress_.enter(Phase::operation, known);

  const Nanoseconds start = clock_.wait_until(local);
  for (int i = 0; i < batch; ++i) operation.enqueue((slot + i) & 1);
  operation.complete();
  const Nanoseconds finish = clock_.now();

  progress_.enter(Phase::complete, finish);
  operation.settle();
  if (first_start_ == Nanoseconds{}) first_start_ = agreed.at;
  return {.start_us = us(start - local),
          .finish_us = us(finish - local),
          .notice_us = us(known - sync_.to_local(agreed.named)),
          .device_us = operation.device_us().value_or(-1),
          .spoiled = false};
}

void Sampler::warm_up(Subject& subject, const SamplingPlan& plan) {
  rest_ = plan.rest;
  progress_.enter(Phase::warmup, clock_.now());
  sync_.sync();
  batch_ = plan.pipelined ? least_batch : 1;
  next_slot_ = 0;
  first_call_us_.reset();
  if (plan.warmup_samples == 0 && plan.warmup_seconds <= 0) return;
  batch_ = 1;
  const Nanoseconds begin = clock_.now();
  const Offsets first = execute(subject, 0, 1);
  const auto of_all = gather_value(control_, first.finish_us);
  if (control_.is_root()) first_call_us_ = *std::max_element(of_all.begin(), of_all.end());

  bool more = plan.warmup_samples > 1 || plan.warmup_seconds > 0;
  double last_us = first_call_us_.value_or(0);
  for (int done = 1; more; ++done) {
    const Offsets o = execute(subject, done & 1, 1);
    const auto all = gather_value(control_, o);
    if (control_.is_root()) {
      last_us = 0;
      double notice_us = 0;
      for (const Offsets& one : all) {
        last_us = std::max(last_us, one.finish_us);
        notice_us = std::max(notice_us, one.notice_us);
      }
      adapt_lead({notice_us});
      const double elapsed = us(clock_.now() - begin) / 1e6;
      more = done + 1 < plan.warmup_samples || elapsed < plan.warmup_seconds;
    }
    broadcast_value(control_, more);
  }
  if (plan.pipelined) {
    batch_ = static_cast<int>(std::clamp(batch_us / std::max(last_us, 1e-3), double{least_batch}, double{most_batch}));
    broadcast_value(control_, batch_);
  }
}

void Sampler::adapt_lead(std::vector<double> notices_us) {
  const bool few = notices_us.size() < few_notices;
  const Microseconds wanted{lead_over_notice * median(notices_us)};
  auto target = std::chrono::duration_cast<Nanoseconds>(wanted);
  if (few) target = std::clamp(target, lead_ / 2, lead_ * 2);
  lead_ = std::clamp(target, shortest_lead, longest_lead);
}

Samples Sampler::sample(Subject& subject, const SamplingPlan& plan) {
  own_.clear();
  first_start_ = Nanoseconds{};
  const Counters counters_before = settled_counters();
  quick_before_ = counters_ != nullptr ? counters_->read_quick() : Counters{};
  Samples result;

  // The last sample is taken after the rule has spoken, so the rule may ask for one less.
  StoppingLimits limits = plan.stopping;
  limits.max_samples -= 1;
  limits.min_samples = std::clamp(limits.min_samples, std::size_t{2}, plan.stopping.max_samples) - 1;
  if (limits.max_samples > 0) sample_until(StoppingRule(limits), subject, plan, result);

  subject.poison();
  take(subject, plan, 1, result);
  if (batch_ > 1 && !subject.survives_batch()) {
    // The batch used its inputs up; what is verified is one more execution of the same prepared operation.
    subject.poison();
    execute(subject, next_slot_, 1);
    result.executions += 1;
    result.last_slot = next_slot_;
  } else {
    result.last_slot = (next_slot_ + 1 + batch_ - 1) & 1;
  }
  result.counters = settled_counters() - counters_before;
  summarise_ranks(plan, result);
  result.first_start = first_start_;
  result.clock_error = sync_.worst_error_at(sync_.to_global(clock_.now()));
  if (first_call_us_) result.first_call_us = *first_call_us_ * plan.time_share;
  return result;
}

void Sampler::sample_until(StoppingRule rule, Subject& subject, const SamplingPlan& plan, Samples& into) {
  const Nanoseconds begin = clock_.now();
  std::uint64_t next = rule.batch(0, 0);
  while (next > 0) {
    take(subject, plan, next, into);
    if (control_.is_root()) {
      const double elapsed_s = us(clock_.now() - begin) / 1e6;
      const auto reason = rule.decide(into.samples_us, elapsed_s);
      if (reason) into.stop_reason = *reason;
      next = reason ? 0 : rule.batch(into.samples_us.size(), elapsed_s);
    }
    broadcast_value(control_, next);
  }
}

void Sampler::take(Subject& subject, const SamplingPlan& plan, std::size_t count, Samples& into) {
  own_.reserve(own_.size() + count);
  for (std::size_t i = 0; i < count; ++i) {
    own_.push_back(execute(subject, next_slot_, batch_));
    if (own_.back().finish_us >= worth_a_look_us) own_.back().spoiled = fault_since_last_look();
    next_slot_ ^= 1;
  }
  into.executions += count * static_cast<std::size_t>(batch_);
  progress_.enter(Phase::gather, clock_.now());
  mark_own(count);
  merge(plan, count, into);
}

void Sampler::merge(const SamplingPlan& plan, std::size_t count, Samples& into) {
  const auto all = gather_values(control_, std::span<const Offsets>{own_}.last(count));
  if (!control_.is_root()) return;
  const auto ranks = static_cast<std::size_t>(control_.size());
  const double tolerance = late_us + us(sync_.worst_error_at(sync_.to_global(clock_.now())));
  std::vector<double> notices_us;
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t last = 0;
    std::size_t latest = 0;
    double notice_us = all[i].notice_us;
    double device_us = all[i].device_us;
    bool spoiled = all[i].spoiled;
    for (std::size_t r = 1; r < ranks; ++r) {
      notice_us = std::max(notice_us, all[r * count + i].notice_us);
      device_us = std::max(device_us, all[r * count + i].device_us);
      spoiled = spoiled || all[r * count + i].spoiled;
      if (all[r * count + i].finish_us > all[last * count + i].finish_us) last = r;
      if (all[r * count + i].start_us > all[latest * count + i].start_us) latest = r;
    }
    const bool late = all[latest * count + i].start_us > tolerance;
    notices_us.push_back(notice_us);
    if (spoiled) into.spoiled.push_back(into.samples_us.size());
    into.samples_us.push_back(all[last * count + i].finish_us * plan.time_share / batch_);
    if (device_us >= 0) into.device_us.push_back(device_us * plan.time_share / batch_);
    into.last_rank.push_back(static_cast<int>(last));
    into.late_rank.push_back(late ? std::optional<int>{static_cast<int>(latest)} : std::nullopt);
  }
  adapt_lead(std::move(notices_us));
  for (std::size_t r = 0; r < part_of_.size(); ++r) {
    if (part_of_[r] >= into.parts_us.size()) into.parts_us.resize(part_of_[r] + 1);
    auto& part_us = into.parts_us[part_of_[r]];
    part_us.resize(into.samples_us.size());
    for (std::size_t i = 0; i < count; ++i) {
      double& slowest = part_us[part_us.size() - count + i];
      slowest = std::max(slowest, all[r * count + i].finish_us * plan.time_share / batch_);
    }
  }
}

bool Sampler::fault_since_last_look() {
  if (counters_ == nullptr) return false;
  const Counters now = counters_->read_quick();
  const bool fault = any_fault(now - quick_before_);
  quick_before_ = now;
  return fault;
}

void Sampler::mark_own(std::size_t count) {
  // What was not looked at one by one carries the mark together; nothing says which of these samples it was.
  if (!fault_since_last_look()) return;
  const auto batch = std::span{own_}.last(count);
  const bool singly = batch.back().finish_us >= worth_a_look_us;
  for (Offsets& o : singly ? batch.last(1) : batch) o.spoiled = true;
}

Counters Sampler::settled_counters() {
  // A rank may be done while what it sent still waits in a queue; when all are done, all has arrived.
  control_.barrier();
  return counters_ != nullptr ? counters_->read() : Counters{};
}

void Sampler::summarise_ranks(const SamplingPlan& plan, Samples& into) {
  struct Summary {
    double arrival_us, finish_us, mean_us;
  };
  std::vector<double> starts;
  std::vector<double> finishes;
  double total = 0;
  for (const Offsets& o : own_) {
    starts.push_back(o.start_us);
    finishes.push_back(o.finish_us);
    total += o.finish_us - o.start_us;
  }
  const double scale = plan.time_share / batch_;
  const Summary mine{median(starts), median(finishes) * scale, total / static_cast<double>(own_.size()) * scale};
  const auto all = gather_value(control_, mine);
  for (const Summary& s : all) {
    into.arrival_us.push_back(s.arrival_us);
    into.finish_us.push_back(s.finish_us);
    into.mean_of_ranks_us += s.mean_us / static_cast<double>(all.size());
  }
  if (!all.empty()) into.root_mean_us = all.front().mean_us;
}

}  // namespace busbar
