// What platform.cpp wrote down of this process's host.
#pragma once

#include <optional>
#include <string_view>

namespace busbar::sim {

/// Empty where the platform says nothing.
std::string_view host_property(const char* name);

/// Bytes per second of what this host reduces, as platform.cpp means it; nothing where reducing takes no time.
std::optional<double> reduction_rate();

}  // namespace busbar::sim
