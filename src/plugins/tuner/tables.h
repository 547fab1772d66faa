// Which table new communicators of this process get, and what was decided by all of them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "plugins/abi/types.h"
#include "plugins/tuner/table.h"

namespace busbar::plugins {

struct Counts {
  std::atomic<std::uint64_t> asked = 0;
  std::atomic<std::uint64_t> decided = 0;
  std::atomic<std::uint64_t> unavailable = 0;
  std::atomic<std::uint64_t> channels_left = 0;
};

class Tables {
 public:
  /// Those of this process; never destroyed.
  static Tables& of_process();

  /// What the program set; otherwise BUSBAR_TUNER_TABLE's file, read once; null: none. A malformed file is one warning,
  /// from then on none. @throws std::bad_alloc
  std::shared_ptr<const Table> current(nccl_abi::Logger logger);
  /// Null: back to the file's.
  void set(std::shared_ptr<const Table> table);

  Counts counts;

 private:
  void read_file(nccl_abi::Logger logger);

  std::mutex mutex_;
  bool file_read_ = false;
  std::shared_ptr<const Table> from_file_;
  std::shared_ptr<const Table> from_program_;
};

}  // namespace busbar::plugins
