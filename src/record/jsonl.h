// Answers as JSON lines on a stream, flushed one by one: the protocol's standard output, and the journal's file.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "record/answer.h"

namespace busbar {

class JsonLines final : public AnswerSink {
 public:
  /// Writes to standard output.
  JsonLines();
  /// Writes to a new file. @throws UsageError where it exists already or cannot be made: no record is overwritten.
  explicit JsonLines(const std::string& path);
  void take(const nlohmann::json& answer) override;

 private:
  struct Close {
    void operator()(std::FILE* f) const { std::fclose(f); }
  };
  std::unique_ptr<std::FILE, Close> file_;
  std::FILE* out_;
};

}  // namespace busbar
