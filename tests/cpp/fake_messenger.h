// Messages between threads of one process, delivered in an order that a seed decides: every arrival order that the
// network could produce is one that a test can meet.
#pragma once

#include <condition_variable>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

#include "transport/tree/messenger.h"

namespace busbar {

/// What lies between all processes of a test.
class FakePost {
 public:
  using Message = std::vector<std::byte>;
  using Lane = std::pair<ProcessId, ProcessId>;  // from, to

  void put(Lane lane, Message message) {
    const std::lock_guard lock(mutex_);
    lanes_[lane].push_back(std::move(message));
    arrived_.notify_all();
  }

  /// Waits until `ready`, called under the lock, is true.
  template <class Ready>
  void wait(Ready ready) {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [&] { return ready(lanes_); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::map<Lane, std::deque<Message>> lanes_;
};

/// One process's end. Sends complete at once; receives are matched in the order in which they were posted.
class FakeMessenger final : public tree::Messenger {
 public:
  FakeMessenger(FakePost& post, ProcessId self, std::uint64_t seed) : post_(post), self_(self), random_(seed) {}

  void reserve(std::size_t handles) override { posted_.resize(handles); }

  void send(Handle, ProcessId to, std::span<const std::byte> data) override {
    sent_bytes += data.size();
    post_.put({self_, to}, {data.begin(), data.end()});
  }

  void receive(Handle handle, ProcessId from, std::span<std::byte> into) override {
    if (posted_.at(handle).state != State::idle) throw std::logic_error("handle is in flight");
    posted_[handle] = {State::posted, from, into};
    queues_[from].push_back(handle);
  }

  void wait(Handle handle) override {
    if (posted_.at(handle).state == State::idle) return;
    post_.wait([&](auto& lanes) {
      deliver(lanes);
      return posted_[handle].state == State::done;
    });
    posted_[handle].state = State::idle;
  }

  std::size_t wait_any(std::span<const Handle> handles) override {
    std::vector<std::size_t> done;
    post_.wait([&](auto& lanes) {
      deliver(lanes);
      for (std::size_t i = 0; i < handles.size(); ++i) {
        if (posted_[handles[i]].state == State::done) done.push_back(i);
      }
      return !done.empty();
    });
    const std::size_t chosen = done[random_() % done.size()];
    posted_[handles[chosen]].state = State::idle;
    return chosen;
  }

  void withdraw(Handle handle) override {
    if (posted_.at(handle).state == State::done) throw std::logic_error("a message was taken back unread");
    posted_[handle].state = State::idle;
  }

  std::size_t sent_bytes = 0;

 private:
  enum class State { idle, posted, done };
  struct Posted {
    State state = State::idle;
    ProcessId from;
    std::span<std::byte> into;
  };

  template <class Lanes>
  void deliver(Lanes& lanes) {
    for (auto& [from, queue] : queues_) {
      auto& lane = lanes[{from, self_}];
      while (!queue.empty() && !lane.empty()) {
        Posted& receive = posted_[queue.front()];
        if (lane.front().size() != receive.into.size()) throw std::logic_error("message and receive differ in length");
        if (!lane.front().empty()) std::memcpy(receive.into.data(), lane.front().data(), lane.front().size());
        receive.state = State::done;
        lane.pop_front();
        queue.pop_front();
      }
    }
  }

  FakePost& post_;
  ProcessId self_;
  std::mt19937_64 random_;
  std::vector<Posted> posted_;
  std::map<ProcessId, std::deque<Handle>> queues_;
};

}  // namespace busbar
