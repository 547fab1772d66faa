// NCCL's logger, kept for the test to read.
#pragma once

#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <string>
#include <vector>

#include "plugins/abi/types.h"

namespace busbar::plugins::test {

/// One at a time: NCCL's logger is a plain function.
class NcclLog {
 public:
  struct Entry {
    nccl_abi::LogLevel level;
    std::string text;
  };

  NcclLog() { current() = this; }
  NcclLog(const NcclLog&) = delete;
  NcclLog& operator=(const NcclLog&) = delete;
  ~NcclLog() { current() = nullptr; }

  static void logger(nccl_abi::LogLevel level, unsigned long, const char*, int, const char* format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    const std::lock_guard lock(current()->mutex_);
    current()->entries_.push_back({level, text});
  }

  std::vector<std::string> at(nccl_abi::LogLevel level) const {
    std::vector<std::string> texts;
    for (const Entry& entry : entries_) {
      if (entry.level == level) texts.push_back(entry.text);
    }
    return texts;
  }
  std::vector<std::string> warnings() const { return at(nccl_abi::log_warning); }
  bool empty() const { return entries_.empty(); }

 private:
  static NcclLog*& current() {
    static NcclLog* log = nullptr;
    return log;
  }
  std::mutex mutex_;
  std::vector<Entry> entries_;
};

}  // namespace busbar::plugins::test
