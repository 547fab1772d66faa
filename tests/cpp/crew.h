// Threads that are kept from one piece of work to the next. Making one takes longer than most of what tests do on it,
// under sanitizers above all.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace busbar {

class Crew {
 public:
  Crew() = default;
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;
  ~Crew() { wait(); }

  /// Starts `work` on a thread of its own, whatever the others do.
  void start(std::function<void()> work) {
    if (busy_ == members_.size()) members_.push_back(std::make_unique<Member>());
    members_[busy_++]->take(std::move(work));
  }

  /// Until all that was started has ended.
  void wait() {
    for (std::size_t i = 0; i < busy_; ++i) members_[i]->wait();
    busy_ = 0;
  }

 private:
  class Member {
   public:
    ~Member() { take({}); }  // then the thread is joined

    /// Nothing: leave.
    void take(std::function<void()> work) {
      const std::lock_guard lock(mutex_);
      work_ = std::move(work);
      idle_ = false;
      changed_.notify_all();
    }

    void wait() {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return idle_; });
    }

   private:
    void serve() {
      std::unique_lock lock(mutex_);
      for (;;) {
        changed_.wait(lock, [this] { return !idle_; });
        if (!work_) return;
        lock.unlock();
        work_();
        lock.lock();
        work_ = {};
        idle_ = true;
        changed_.notify_all();
      }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::function<void()> work_;
    bool idle_ = true;
    std::jthread thread_{[this] { serve(); }};  // last: what it uses is there before it and after it
  };

  std::vector<std::unique_ptr<Member>> members_;
  std::size_t busy_ = 0;
};

}  // namespace busbar
