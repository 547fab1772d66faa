#include "bench/gpu_health.h"

#include <nlohmann/json.hpp>

#include "core/or_null.h"
#include "measure/exchange.h"

namespace busbar {
namespace {

using Json = nlohmann::json;

Json health_json(const std::optional<gpu::Health>& health) {
  if (!health) return {};
  return {{"sm_clock_mhz", or_null(health->sm_clock_mhz)},
          {"memory_clock_mhz", or_null(health->memory_clock_mhz)},
          {"temperature_c", or_null(health->temperature_c)},
          {"power_w", or_null(health->power_w)},
          {"throttle_reasons", health->throttle_reasons ? Json(*health->throttle_reasons) : Json()}};
}

/// Nothing where the GPU did not say.
std::optional<bool> slowed(const Json& health) {
  if (health.is_null() || health.at("throttle_reasons").is_null()) return std::nullopt;
  return !health.at("throttle_reasons").empty();
}

}  // namespace

GroupHealth gather_health(Control& control, const std::optional<gpu::Health>& before,
                          const std::optional<gpu::Health>& after) {
  const bool known = before || after;
  GroupHealth group;
  const Json mine = known ? Json{{"before", health_json(before)}, {"after", health_json(after)}} : Json();
  group.by_rank = gather_texts(control, mine.dump());
  for (const std::string& text : group.by_rank) {
    const Json rank = Json::parse(text);
    if (rank.is_null()) continue;
    for (const char* const when : {"before", "after"}) {
      const auto slow = slowed(rank.at(when));
      if (slow) group.throttled = group.throttled.value_or(false) || *slow;
    }
  }
  return group;
}

}  // namespace busbar
