// Ranks as threads of one process, each with an endpoint: whole groups without MPI.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <tuple>
#include <vector>

#include "measure/endpoint.h"

namespace busbar {

/// What MPI may do with a send: wait until it is received, or not wait at all.
enum class Sends { wait, do_not_wait };

/// Where all ranks that have not ended wait for each other, they get an exception.
class ThreadWorld {
 public:
  explicit ThreadWorld(int size, Sends sends = Sends::wait) : size_(size), sends_(sends) {}
  int size() const { return size_; }

  /// Runs `body` once per rank, on threads; throws the first failure, or where a message was never received.
  void run(const std::function<void(Endpoint&)>& body) {
    running_ = size_;
    {
      std::vector<std::jthread> threads;
      for (int r = 0; r < size_; ++r) threads.emplace_back([this, r, &body] { live(Rank{r}, body); });
    }
    if (error_) std::rethrow_exception(error_);
    if (!mail_.empty()) throw std::logic_error("a message was never received");
  }

 private:
  using Letter = std::vector<std::byte>;
  using Address = std::tuple<Rank, Rank, Lane>;  // from, to

  class Port final : public Endpoint {
   public:
    Port(ThreadWorld& world, Rank rank) : world_(world), rank_(rank) {}
    Rank rank() const override { return rank_; }
    int size() const override { return world_.size_; }
    void send(Rank to, Lane lane, std::span<const std::byte> data) override {
      world_.put({rank_, to, lane}, {data.begin(), data.end()});
      if (world_.sends_ == Sends::wait) world_.wait_until_taken({rank_, to, lane});
    }
    void receive(Rank from, Lane lane, std::span<std::byte> into) override {
      const Letter letter = world_.take({from, rank_, lane});
      if (letter.size() != into.size()) throw std::logic_error("a message has another length than is expected");
      if (!letter.empty()) std::memcpy(into.data(), letter.data(), letter.size());
    }
    void exchange(Rank to, Rank from, Lane lane) override {
      world_.put({rank_, to, lane}, {});
      if (!world_.take({from, rank_, lane}).empty()) throw std::logic_error("a message is not empty");
    }

   private:
    ThreadWorld& world_;
    Rank rank_;
  };

  void live(Rank rank, const std::function<void(Endpoint&)>& body) {
    std::exception_ptr error;
    try {
      Port port(*this, rank);
      body(port);
    } catch (...) {
      error = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = error;
    --running_;
    changed_.notify_all();
  }

  void put(const Address& address, Letter letter) {
    const std::lock_guard lock(mutex_);
    mail_[address].push_back(std::move(letter));
    changed_.notify_all();
  }

  void wait_until_taken(const Address& address) {
    std::unique_lock lock(mutex_);
    wait(lock, [&] { return !mail_.contains(address); });
  }

  Letter take(const Address& address) {
    std::unique_lock lock(mutex_);
    wait(lock, [&] { return mail_.contains(address); });
    const auto found = mail_.find(address);
    Letter letter = std::move(found->second.front());
    found->second.pop_front();
    if (found->second.empty()) mail_.erase(found);
    changed_.notify_all();
    return letter;
  }

  void wait(std::unique_lock<std::mutex>& lock, const std::function<bool()>& ready) {
    waiting_.push_back(&ready);
    while (!ready() && !stuck_) {
      stuck_ = static_cast<int>(waiting_.size()) == running_ &&
               std::none_of(waiting_.begin(), waiting_.end(), [](const auto* other) { return (*other)(); });
      if (stuck_) {
        changed_.notify_all();
      } else {
        changed_.wait(lock);
      }
    }
    std::erase(waiting_, &ready);
    if (!ready()) throw std::runtime_error("all ranks that have not ended wait");
  }

  int size_;
  Sends sends_;
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::map<Address, std::deque<Letter>> mail_;
  std::vector<const std::function<bool()>*> waiting_;
  bool stuck_ = false;
  int running_ = 0;
  std::exception_ptr error_;
};

}  // namespace busbar
