// A launch in one process: n ranks as threads, with a Control and a virtual clock each.
//
// Time is virtual and deterministic without a scheduler: every rank carries its own true time, a message carries the
// true time at which it arrives, and a receiver's true time becomes the later of its own and the message's. As every
// receive names its sender, the outcome does not depend on how the threads run.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "measure/clock.h"
#include "measure/control.h"

namespace busbar::fake {

/// A clock that runs only when its rank does something. It shows offset + (1 + drift) * true time, in whole
/// nanoseconds. Belongs to one rank's thread; others may look at it before and after `FakeWorld::run`.
class VirtualClock final : public Clock {
 public:
  /// How this clock differs from true time. `read_cost`: what looking at it takes.
  void set(Nanoseconds offset, double drift_ppm, Nanoseconds read_cost = Nanoseconds{20}) {
    offset_ = offset;
    drift_ = drift_ppm * 1e-6;
    read_cost_ = read_cost;
  }

  Nanoseconds now() const noexcept override {
    true_ += read_cost_;
    return local_at(true_);
  }

  Nanoseconds wait_until(Nanoseconds then) const noexcept override {
    const Nanoseconds before_drift = then - offset_;
    const auto guess = static_cast<double>(before_drift.count()) * (drift_ / (1.0 + drift_));
    true_ = std::max(true_ + read_cost_, before_drift - Nanoseconds{static_cast<std::int64_t>(guess)});
    while (local_at(true_) < then) ++true_;
    return local_at(true_);
  }

  void nap(Nanoseconds length) const noexcept override { advance(length); }

  /// Lets `duration` of true time pass: computing, or an operation that takes so long.
  void advance(Nanoseconds duration) const { true_ += duration; }
  /// Not before `then`, in true time.
  void advance_to(Nanoseconds then) const { true_ = std::max(true_, then); }
  Nanoseconds true_time() const { return true_; }
  /// What this clock shows at true time `t`.
  Nanoseconds local_at(Nanoseconds t) const {
    return t + offset_ + Nanoseconds{static_cast<std::int64_t>(static_cast<double>(t.count()) * drift_)};
  }

 private:
  Nanoseconds offset_{0};
  double drift_ = 0.0;
  Nanoseconds read_cost_{20};
  mutable Nanoseconds true_{0};  // `now` of a virtual clock moves it, though a Clock is read as const
};

/// How long a message takes; `random` belongs to the sender.
using Delay = std::function<Nanoseconds(Rank from, Rank to, std::mt19937_64& random)>;

/// Thrown in ranks that wait for a rank that has failed, and in all when each waits for another.
class Stuck : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

class FakeWorld {
 public:
  explicit FakeWorld(int size, std::uint64_t seed = 1) : clocks_(static_cast<std::size_t>(size)) {
    for (int r = 0; r < size; ++r) random_.emplace_back(seed * 1000 + static_cast<std::uint64_t>(r));
  }

  int size() const { return static_cast<int>(clocks_.size()); }
  VirtualClock& clock(Rank r) { return clocks_.at(static_cast<std::size_t>(r.value)); }
  /// Default: 1 µs for every message.
  void set_delay(Delay delay) { delay_ = std::move(delay); }

  /// Runs `body(control, clock)` once per rank, each in its own thread; throws the first failure of a rank. A rank that
  /// waits for a message that can no longer come gets `Stuck`.
  void run(const std::function<void(Control&, VirtualClock&)>& body);

 private:
  class Port;
  enum class Channel { direct, collective };
  struct Message {
    std::vector<std::byte> data;
    Nanoseconds arrival;
  };
  using Mailbox = std::deque<Message>;

  Mailbox& mailbox(Channel channel, Rank from, Rank to) { return mail_[{channel, from.value, to.value}]; }

  void deliver(Channel channel, Rank from, Rank to, std::span<const std::byte> data) {
    const std::lock_guard lock(mutex_);
    const Nanoseconds takes = delay_(from, to, random_.at(static_cast<std::size_t>(from.value)));
    mailbox(channel, from, to).push_back({{data.begin(), data.end()}, clock(from).true_time() + takes});
    changed_.notify_all();
  }

  std::vector<std::byte> collect(Channel channel, Rank from, Rank to, std::size_t length) {
    std::unique_lock lock(mutex_);
    Mailbox& box = mailbox(channel, from, to);
    waiting_.push_back(&box);
    stop_if_stuck();
    changed_.wait(lock, [&] { return !box.empty() || failed_; });
    std::erase(waiting_, &box);
    if (box.empty()) throw Stuck("rank " + std::to_string(to.value) + " waits for rank " + std::to_string(from.value));
    Message message = std::move(box.front());
    box.pop_front();
    if (message.data.size() != length) {
      throw std::logic_error("rank " + std::to_string(to.value) + " expects " + std::to_string(length) +
                             " bytes, got " + std::to_string(message.data.size()));
    }
    clock(to).advance_to(message.arrival);
    return std::move(message.data);
  }

  // Every living rank waits at an empty mailbox: nothing can ever happen again.
  void stop_if_stuck() {
    const bool all_wait = static_cast<int>(waiting_.size()) == running_;
    if (all_wait && std::all_of(waiting_.begin(), waiting_.end(), [](const Mailbox* box) { return box->empty(); })) {
      failed_ = true;
      changed_.notify_all();
    }
  }

  void leave(std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    --running_;
    if (error) {
      failed_ = true;
      errors_.push_back(error);
    }
    stop_if_stuck();
    changed_.notify_all();
  }

  void rethrow_first();

  std::deque<VirtualClock> clocks_;
  std::vector<std::mt19937_64> random_;
  Delay delay_ = [](Rank, Rank, std::mt19937_64&) { return Nanoseconds{1000}; };

  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::map<std::tuple<Channel, int, int>, Mailbox> mail_;
  std::vector<Mailbox*> waiting_;
  int running_ = 0;
  bool failed_ = false;
  std::vector<std::exception_ptr> errors_;
};

/// One rank's end of the world.
class FakeWorld::Port final : public Control {
 public:
  Port(FakeWorld& world, Rank rank) : world_(world), rank_(rank) {}
  Rank rank() const override { return rank_; }
  int size() const override { return world_.size(); }

  void barrier() override {
    gather({});
    broadcast({});
  }

  void broadcast(std::span<std::byte> data) override {
    if (!is_root()) return take(Channel::collective, Rank{0}, data);
    for (int r = 1; r < size(); ++r) world_.deliver(Channel::collective, rank_, Rank{r}, data);
  }

  std::vector<std::byte> gather(std::span<const std::byte> mine) override {
    if (!is_root()) {
      world_.deliver(Channel::collective, rank_, Rank{0}, mine);
      return {};
    }
    std::vector<std::byte> all(mine.begin(), mine.end());
    for (int r = 1; r < size(); ++r) {
      const auto theirs = world_.collect(Channel::collective, Rank{r}, rank_, mine.size());
      all.insert(all.end(), theirs.begin(), theirs.end());
    }
    return all;
  }

  void send(Rank to, std::span<const std::byte> data) override { world_.deliver(Channel::direct, rank_, to, data); }
  void receive(Rank from, std::span<std::byte> data) override { take(Channel::direct, from, data); }

 private:
  void take(Channel channel, Rank from, std::span<std::byte> data) {
    const auto message = world_.collect(channel, from, rank_, data.size());
    std::copy(message.begin(), message.end(), data.begin());
  }

  FakeWorld& world_;
  Rank rank_;
};

inline void FakeWorld::run(const std::function<void(Control&, VirtualClock&)>& body) {
  mail_.clear();
  errors_.clear();
  failed_ = false;
  running_ = size();
  {
    std::vector<std::jthread> threads;
    for (int r = 0; r < size(); ++r) {
      threads.emplace_back([this, r, &body] {
        std::exception_ptr error;
        try {
          Port port(*this, Rank{r});
          body(port, clock(Rank{r}));
        } catch (...) {
          error = std::current_exception();
        }
        leave(error);
      });
    }
  }
  rethrow_first();
}

// The cause before its consequences: a rank's own failure, not that another was left waiting by it.
inline void FakeWorld::rethrow_first() {
  std::exception_ptr stuck;
  for (const auto& error : errors_) {
    try {
      std::rethrow_exception(error);
    } catch (const Stuck&) {
      if (!stuck) stuck = error;
    } catch (...) {
      throw;
    }
  }
  if (stuck) std::rethrow_exception(stuck);
}

}  // namespace busbar::fake
