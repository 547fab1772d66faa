// The console table: the columns an nccl-tests user knows, plus the interval and the tail.
#pragma once

#include <cstdio>
#include <string>

#include "record/answer.h"

namespace busbar {

class Table final : public AnswerSink {
 public:
  explicit Table(std::FILE* out) : out_(out) {}
  void take(const nlohmann::json& answer) override;

 private:
  std::FILE* out_;
  std::string header_of_;  ///< operation and timing that the last header was printed for
};

}  // namespace busbar
