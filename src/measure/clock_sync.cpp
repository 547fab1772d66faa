#include "measure/clock_sync.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>

namespace busbar {
namespace {

// Only the fastest exchange counts. Its round trip falls quickly over the first few and hardly after twenty.
constexpr int exchanges = 20;

// Clocks show whole nanoseconds: each of the two readings hides up to one, and rounding the midpoint another.
constexpr Nanoseconds resolution{3};

// Two clocks drift apart even while a message travels; 1000 ppm as in ClockModel, as a divisor.
constexpr int drift_divisor = 1000;

// A reference's answer: its idea of global time, and how far that may be wrong.
struct GlobalTime {
  std::int64_t global_ns;
  std::int64_t error_ns;
};

template <class T>
std::span<std::byte> bytes_of(T& value) {
  return std::as_writable_bytes(std::span{&value, 1});
}

}  // namespace

ClockSync::ClockSync(Control& control, const Clock& clock, std::uint64_t domain_key)
    : control_(control), clock_(clock) {
  find_domains(domain_key);
  models_.resize(leaders_.size());
}

void ClockSync::find_domains(std::uint64_t domain_key) {
  auto keys = gather_value(control_, domain_key);
  keys.resize(static_cast<std::size_t>(control_.size()));
  control_.broadcast(std::as_writable_bytes(std::span{keys}));
  std::vector<std::uint64_t> seen;
  for (std::size_t r = 0; r < keys.size(); ++r) {
    const auto at = std::find(seen.begin(), seen.end(), keys[r]);
    domain_of_.push_back(static_cast<int>(at - seen.begin()));
    if (at != seen.end()) continue;
    seen.push_back(keys[r]);
    leaders_.push_back(Rank{static_cast<int>(r)});
  }
}

bool ClockSync::is_leader() const {
  return leaders_[static_cast<std::size_t>(domain(control_.rank()))] == control_.rank();
}

void ClockSync::sync() {
  if (domains() == 1) return;
  if (is_leader()) read_along_tree();
  if (!read_once_) {
    read_once_ = true;
    if (is_leader()) read_along_tree();
  }
  share_models();
}

// In round k the leaders from 2^k up to 2^(k+1) read the clock of the leader 2^k before them, which has read its own
// reference in an earlier round.
void ClockSync::read_along_tree() {
  const int me = domain(control_.rank());
  const int count = domains();
  const auto leader = [&](int d) { return leaders_[static_cast<std::size_t>(d)]; };
  for (int step = 1; step < count; step *= 2) {
    if (me >= step && me < 2 * step) {
      wait_for_drift();
      tracker_.add(read(leader(me - step)));
      models_[static_cast<std::size_t>(me)] = tracker_.model();
    } else if (me < step && me + step < count) {
      serve(leader(me + step));
    }
  }
}

// The second pass of the first sync: the readings must lie apart. Later readings do by themselves, or need not.
void ClockSync::wait_for_drift() const {
  const bool second = read_once_ && !tracker_.has_drift();
  if (second) clock_.wait_until(Nanoseconds{tracker_.model().local_ns} + ClockTracker::least_span);
}

void ClockSync::serve(Rank child) const {
  std::byte question{};
  for (int i = 0; i < exchanges; ++i) {
    control_.receive(child, std::span{&question, 1});
    const Nanoseconds now = clock_.now();
    GlobalTime answer{.global_ns = to_global(now).count(), .error_ns = error_at(now).count()};
    control_.send(child, bytes_of(answer));
  }
}

// The reference looked at its clock at some moment between sending and receiving; taking the midpoint for that moment
// errs by at most half the round trip, however unequal the two ways are.
ClockReading ClockSync::read(Rank reference) const {
  std::optional<ClockReading> best;
  for (int i = 0; i < exchanges; ++i) {
    const std::byte question{};
    GlobalTime answer{};
    const Nanoseconds sent = clock_.now();
    control_.send(reference, std::span{&question, 1});
    control_.receive(reference, bytes_of(answer));
    const Nanoseconds round_trip = clock_.now() - sent;
    const Nanoseconds middle = sent + round_trip / 2;
    const Nanoseconds error = round_trip / 2 + round_trip / drift_divisor + resolution + Nanoseconds{answer.error_ns};
    if (!best || error < best->error) best = {middle, Nanoseconds{answer.global_ns} - middle, error};
  }
  return *best;
}

void ClockSync::share_models() {
  const auto by_rank = gather_value(control_, mine());
  if (control_.is_root()) {
    for (std::size_t d = 0; d < leaders_.size(); ++d) models_[d] = by_rank[static_cast<std::size_t>(leaders_[d].value)];
  }
  control_.broadcast(std::as_writable_bytes(std::span{models_}));
}

Nanoseconds ClockSync::worst_error_at(Nanoseconds global) const {
  Nanoseconds worst{0};
  for (const ClockModel& model : models_) worst = std::max(worst, model.error_at(model.to_local(global)));
  return worst;
}

}  // namespace busbar
