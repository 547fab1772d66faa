// Errors carry one sentence for a person and the exit code that the program ends with (DESIGN contract:
// 0 holds, 1 negative, 2 bad usage, 3 incomplete, 4 hang).
#pragma once

#include <stdexcept>
#include <string>

namespace busbar {

enum class ExitCode : int { holds = 0, negative = 1, usage = 2, incomplete = 3, hang = 4 };

class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& sentence) : std::runtime_error(sentence), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

/// The user asked for something that does not exist or does not fit; names the culprit and what is accepted.
class UsageError : public Error {
 public:
  explicit UsageError(const std::string& sentence) : Error(ExitCode::usage, sentence) {}
};

/// A library or the system refused; the measurement is incomplete.
class RuntimeError : public Error {
 public:
  explicit RuntimeError(const std::string& sentence) : Error(ExitCode::incomplete, sentence) {}
};

}  // namespace busbar
