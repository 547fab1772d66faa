#include "plugins/mpi_capture/json.h"

#include <nlohmann/json.hpp>

namespace busbar::plugins {
namespace {

using Json = nlohmann::ordered_json;

Json known(const char* name) { return name == nullptr ? Json(nullptr) : Json(name); }

Json to_json(const Calls& calls) {
  return {{"function", known(calls.call.function)},
          {"blocking", calls.call.blocking},
          {"datatype", known(calls.call.datatype)},
          {"operator", known(calls.call.op)},
          {"bytes", calls.call.bytes ? Json(*calls.call.bytes) : Json(nullptr)},
          {"times", calls.times}};
}

}  // namespace

std::string to_json_line(const Process& process, const RankGroup& group) {
  Json line = {{"type", "mpi_communicator"},
               {"host", process.host},
               {"pid", process.pid},
               {"world_ranks", group.world_ranks.empty() ? Json(nullptr) : Json(group.world_ranks)},
               {"rank", group.rank},
               {"ranks", group.ranks},
               {"lost", group.store.lost()},
               {"records", Json::array()}};
  for (const Calls& calls : group.store.all()) line["records"].push_back(to_json(calls));
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace busbar::plugins
