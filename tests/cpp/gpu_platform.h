// A GPU platform in a test: chosen, and set up, by the environment, which is as before when the test is over.
#pragma once

#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "gpu/platform.h"

namespace busbar {

class Environment {
 public:
  Environment() = default;
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() {
    for (auto at = before_.rbegin(); at != before_.rend(); ++at) {
      at->value ? setenv(at->name.c_str(), at->value->c_str(), 1) : unsetenv(at->name.c_str());
    }
  }
  void set(const std::string& name, const std::string& value) {
    remember(name);
    setenv(name.c_str(), value.c_str(), 1);
  }
  void unset(const std::string& name) {
    remember(name);
    unsetenv(name.c_str());
  }

 private:
  struct Variable {
    std::string name;
    std::optional<std::string> value;
  };
  void remember(const std::string& name) {
    const char* const value = std::getenv(name.c_str());
    before_.push_back({name, value == nullptr ? std::nullopt : std::optional<std::string>(value)});
  }
  std::vector<Variable> before_;
};

/// What `f` throws of type Error, as text; empty where it throws none.
template <class Error, class F>
std::string sentence_of(const F& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace busbar
