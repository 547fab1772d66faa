#include "record/jsonl.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace busbar {

JsonLines::JsonLines() : out_(stdout) {}

JsonLines::JsonLines(const std::string& path) : file_(std::fopen(path.c_str(), "wx")), out_(file_.get()) {
  if (out_ == nullptr) throw UsageError(fmt::format("cannot make the file '{}': {}", path, std::strerror(errno)));
}

void JsonLines::take(const nlohmann::json& answer) {
  const std::string line = answer.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
  // A client that has gone away, or a full disk, must end the launch: measuring on for nobody loses the figures.
  if (std::fwrite(line.data(), 1, line.size(), out_) != line.size() || std::fflush(out_) != 0) {
    throw RuntimeError(fmt::format("cannot write answers: {}", std::strerror(errno)));
  }
}

}  // namespace busbar
