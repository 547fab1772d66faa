#include "bench/server.h"

#include <fmt/format.h>

#include <istream>
#include <nlohmann/json.hpp>

#include "measure/exchange.h"

namespace busbar {
namespace {

using Json = nlohmann::json;

void tell(const std::vector<AnswerSink*>& sinks, const Json& answer) {
  for (AnswerSink* sink : sinks) sink->take(answer);
}

Json refusal(std::optional<std::int64_t> request, const std::string& sentence) {
  return {{"type", "error"}, {"request", request ? Json(*request) : Json()}, {"message", sentence}};
}

/// The next line that can be carried out, its refused predecessors answered; nothing at the end.
std::optional<std::string> next_good_line(const Visitor& visitor, RequestSource& source,
                                          const std::vector<AnswerSink*>& sinks, Tally& tally) {
  while (auto text = source.next()) {
    std::optional<std::int64_t> id;
    try {
      const Line line = parse_request(*text, visitor.hosts(), id);
      if (line.quit) return std::nullopt;
      if (const auto why = visitor.objection(line.visit)) throw UsageError(*why);
      return text;
    } catch (const UsageError& problem) {
      ++tally.refused;
      tell(sinks, refusal(id, problem.what()));
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> StreamSource::next() {
  std::string line;
  while (std::getline(in_, line)) {
    if (line.find_first_not_of(" \t\r") != std::string::npos) return line;
  }
  return std::nullopt;
}

std::optional<std::string> ListSource::next() {
  if (at_ == lines_.size()) return std::nullopt;
  return lines_[at_++];
}

Tally serve(Runtime& runtime, Visitor& visitor, Progress& progress, RequestSource* source,
            const std::vector<AnswerSink*>& sinks) {
  Control& workers = runtime.workers();
  Tally tally;
  for (;;) {
    progress.enter(Phase::idle, runtime.clock().now());
    std::string text;
    if (workers.is_root()) text = next_good_line(visitor, *source, sinks, tally).value_or("");
    text = broadcast_text(workers, std::move(text));
    if (text.empty()) break;

    std::optional<std::int64_t> id;
    const Line line = parse_request(text, visitor.hosts(), id);
    visitor.carry_out(line.visit, [&](const Json& block) {
      ++tally.blocks;
      const Json& wrong = block.at("block").at("wrong_elements");
      if (!wrong.is_null() && wrong != 0) ++tally.wrong_blocks;
      tell(sinks, block);
    });
    if (workers.is_root()) tell(sinks, Json{{"type", "done"}, {"request", line.visit.request}});
  }
  broadcast_value(workers, tally);
  return tally;
}

}  // namespace busbar
