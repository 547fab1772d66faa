#include "transport/ucx/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/error.h"

namespace busbar::ucx {
namespace {

constexpr std::size_t largest_window = 4096;

Method parse_method(const std::string& text) {
  for (const Method method : {Method::tag, Method::put, Method::get, Method::am}) {
    if (text == name(method)) return method;
  }
  throw UsageError(fmt::format("variant setting method='{}' is unknown; accepted: tag, put, get, am", text));
}

std::size_t parse_window(const std::string& text) {
  std::size_t window = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, window);
  if (error == std::errc{} && rest == end && window >= 1 && window <= largest_window) return window;
  throw UsageError(fmt::format("variant setting window='{}' is no number of messages in flight; accepted: 1 to {}",
                               text, largest_window));
}

}  // namespace

VariantSettings VariantSettings::parse(const Settings& settings) {
  VariantSettings parsed;
  for (const auto& [key, value] : settings) {
    if (key == "method") {
      parsed.method = parse_method(value);
    } else if (key == "window") {
      parsed.window = parse_window(value);
    } else if (key == "in_network") {
      if (value != "off") {
        throw UsageError(
            fmt::format("variant setting in_network='{}' is not for ucx, which reduces nothing in the network; "
                        "accepted: off",
                        value));
      }
    } else {
      throw UsageError(
          fmt::format("unknown variant key '{}'; accepted: method, window, or (through 'busbar run') an environment "
                      "variable UCX_*",
                      key));
    }
  }
  return parsed;
}

}  // namespace busbar::ucx
