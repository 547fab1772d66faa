// A variant's settings for UCX.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "transport/transport.h"

namespace busbar::ucx {

/// How a message travels: matched by tag, written by the sender, read by the receiver, or handed to a handler.
enum class Method : std::uint8_t { tag, put, get, am };

constexpr std::string_view name(Method method) {
  constexpr std::array<std::string_view, 4> names{"tag", "put", "get", "am"};
  return names.at(static_cast<std::size_t>(method));
}

struct VariantSettings {
  Method method = Method::tag;
  std::size_t window = 64;  ///< executions under way where they do not wait for each other; OSU's

  /// @throws UsageError naming the first key or value that is unknown, and what is accepted.
  static VariantSettings parse(const Settings& settings);
};

}  // namespace busbar::ucx
