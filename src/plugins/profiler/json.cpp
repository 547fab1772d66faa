#include "plugins/profiler/json.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <tuple>

namespace busbar::plugins {
namespace {

using Json = nlohmann::ordered_json;

Json known(const std::string& name) { return name.empty() ? Json(nullptr) : Json(name); }

template <typename T>
Json known(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json to_json(const Record& record) {
  return {{"stage", record.stage == Stage::called ? "called" : "enqueued"},
          {"function", known(record.function)},
          {"datatype", known(record.datatype)},
          {"count", record.count},
          {"bytes", known(record.bytes)},
          {"root", known(record.root)},
          {"algorithm", known(record.algorithm)},
          {"protocol", known(record.protocol)},
          {"channels", known(record.channels)},
          {"warps", known(record.warps)},
          {"captured", known(record.captured)},
          {"times", record.times}};
}

// As NCCL prints it; a string, since not every reader of JSON keeps 64 bits.
std::string hexadecimal(std::uint64_t id) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(id));
  return text;
}

auto order(const Record& r) {
  return std::tie(r.stage, r.function, r.datatype, r.count, r.root, r.captured, r.algorithm, r.protocol, r.channels,
                  r.warps);
}

}  // namespace

std::string to_json_line(const Process& process, const Communicator& communicator) {
  std::vector<Record> records = communicator.records.all();
  std::sort(records.begin(), records.end(), [](const Record& a, const Record& b) { return order(a) < order(b); });
  const CommunicatorFacts& facts = communicator.facts;
  Json line = {{"type", "nccl_communicator"},
               {"host", process.host},
               {"pid", process.pid},
               {"comm_id", hexadecimal(facts.id)},
               {"comm_name", known(facts.name)},
               {"rank", facts.rank},
               {"ranks", facts.ranks},
               {"nodes", facts.nodes > 0 ? Json(facts.nodes) : Json(nullptr)},
               {"interface", facts.interface},
               {"finalized", !communicator.open},
               {"lost", communicator.records.lost()},
               {"records", Json::array()}};
  for (const Record& record : records) line["records"].push_back(to_json(record));
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace busbar::plugins
