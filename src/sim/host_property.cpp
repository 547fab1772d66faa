#include "sim/host_property.h"

#include <simgrid/host.h>

#include <cstdlib>

namespace busbar::sim {

std::string_view host_property(const char* name) {
  const char* const value = sg_host_get_property_value(sg_host_self(), name);
  return value == nullptr ? std::string_view{} : std::string_view{value};
}

std::optional<double> reduction_rate() {
  const std::string_view text = host_property("reduction");
  if (text.empty() || text == "-") return std::nullopt;
  return std::strtod(text.data(), nullptr);
}

}  // namespace busbar::sim
