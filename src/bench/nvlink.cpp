#include "bench/nvlink.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "measure/exchange.h"

namespace busbar {
namespace {

using Json = nlohmann::json;
using Count = std::optional<std::uint64_t>;

Json growth(Count before, Count after) {
  return before && after && *after >= *before ? Json(*after - *before) : Json();
}

Json per_execution(Count before, Count after, std::uint64_t executions) {
  const Json bytes = growth(before, after);
  return bytes.is_null() ? Json() : Json(bytes.get<double>() / static_cast<double>(executions));
}

Json traffic(const gpu::NvlinkCounters& before, const gpu::NvlinkCounters& after, std::uint64_t executions) {
  const Json traffic{{"tx_bytes", per_execution(before.tx_bytes, after.tx_bytes, executions)},
                     {"rx_bytes", per_execution(before.rx_bytes, after.rx_bytes, executions)},
                     {"crc_errors", growth(before.crc_errors, after.crc_errors)},
                     {"replays", growth(before.replays, after.replays)},
                     {"recoveries", growth(before.recoveries, after.recoveries)}};
  const bool silent = std::all_of(traffic.begin(), traffic.end(), [](const Json& figure) { return figure.is_null(); });
  return silent ? Json() : traffic;
}

}  // namespace

std::vector<std::string> gather_nvlink(Control& control, const std::optional<gpu::Health>& before,
                                       const std::optional<gpu::Health>& after, std::uint64_t executions) {
  const Json mine = before && after ? traffic(before->nvlink, after->nvlink, executions) : Json();
  return gather_texts(control, mine.dump());
}

}  // namespace busbar
