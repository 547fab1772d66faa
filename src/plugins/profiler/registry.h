// All communicators of this process, and what becomes of their records.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "plugins/abi/types.h"
#include "plugins/profiler/communicator.h"
#include "plugins/profiler/json.h"
#include "plugins/report_file.h"

namespace busbar::plugins {

class Registry {
 public:
  /// The one of this process. It is never destroyed, since threads may still enqueue while the process ends; records of
  /// communicators that are still open then are written by a handler of exit.
  static Registry& of_process();

  /// A new communicator; it lives at least until `close`. Where the first one finds that BUSBAR_PROFILE_OUT cannot be
  /// written, that is one warning. @throws std::bad_alloc
  Communicator& open(const CommunicatorFacts& facts, nccl_abi::Logger logger);
  /// NCCL will not name it again: its records are written, and it is kept a while for `read`.
  void close(Communicator& communicator);
  /// Writes what is still open. In the process that opened it only: a fork has the same memory, and records nothing.
  void write_open();

  /// Calls `visit` with each communicator known, oldest first.
  template <typename Visit>
  void for_each(Visit visit) {
    const std::lock_guard lock(mutex_);
    for (const auto& communicator : communicators_) visit(*communicator);
  }

 private:
  void start(nccl_abi::Logger logger);
  void forget_old();

  std::atomic<int> pid_ = 0;  // readable without the lock, which a fork may find taken for good
  std::mutex mutex_;
  Process process_;
  std::optional<ReportFile> file_;
  std::uint64_t last_handle_ = 0;
  std::vector<std::unique_ptr<Communicator>> communicators_;
};

}  // namespace busbar::plugins
