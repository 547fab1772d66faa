// The functions of tuner_api.h.
#include <cstdio>
#include <memory>

#include "plugins/tuner/tables.h"
#include "plugins/tuner_api.h"

extern "C" {

int busbar_tuner_api(void) { return BUSBAR_TUNER_API; }

int busbar_tuner_set_table(const char* text, char* error, size_t error_size) {
  using namespace busbar::plugins;
  try {
    Tables::of_process().set(text == nullptr ? nullptr : std::make_shared<const Table>(parse_table(text)));
    return 0;
  } catch (const std::exception& malformed) {
    if (error != nullptr) std::snprintf(error, error_size, "the tuner table: %s", malformed.what());
    return -1;
  }
}

void busbar_tuner_count(busbar_tuner_counts* out) {
  const auto& counts = busbar::plugins::Tables::of_process().counts;
  *out = {counts.asked, counts.decided, counts.unavailable, counts.channels_left};
}

}  // extern "C"
