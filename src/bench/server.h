// The server of points: requests in, answers out. A plan in a file, the command line and a live client use the same
// door.
#pragma once

#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/visit.h"
#include "core/error.h"
#include "record/answer.h"

namespace busbar {

/// Where requests come from, one line each; nothing when there are no more. Asked at rank 0 only.
class RequestSource {
 public:
  virtual ~RequestSource() = default;
  virtual std::optional<std::string> next() = 0;
};

/// Lines of a stream: standard input, or a plan's file. Empty lines are skipped.
class StreamSource final : public RequestSource {
 public:
  explicit StreamSource(std::istream& in) : in_(in) {}
  std::optional<std::string> next() override;

 private:
  std::istream& in_;
};

/// Lines made beforehand: the command line.
class ListSource final : public RequestSource {
 public:
  explicit ListSource(std::vector<std::string> lines) : lines_(std::move(lines)) {}
  std::optional<std::string> next() override;

 private:
  std::vector<std::string> lines_;
  std::size_t at_ = 0;
};

/// How the visits went, at rank 0.
struct Tally {
  int blocks = 0;
  int wrong_blocks = 0;
  int refused = 0;

  /// Wrong data is the worst verdict, a request that could not be read the next.
  ExitCode exit_code() const {
    if (wrong_blocks > 0) return ExitCode::negative;
    return refused > 0 ? ExitCode::usage : ExitCode::holds;
  }
};

/// Serves until the source ends or says quit. All workers call it; `source` and `sinks` are rank 0's, null and empty
/// elsewhere. The same tally comes back on every rank.
Tally serve(Runtime& runtime, Visitor& visitor, Progress& progress, RequestSource* source,
            const std::vector<AnswerSink*>& sinks);

}  // namespace busbar
