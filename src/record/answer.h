// What the engine says: one answer per line of JSON, to whoever listens. See results/README.md.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace busbar {

/// Takes the engine's answers as they come, at rank 0. `launch`, `block`, `done` and `error` objects.
class AnswerSink {
 public:
  virtual ~AnswerSink() = default;
  virtual void take(const nlohmann::json& answer) = 0;
};

}  // namespace busbar
