// What may be missing, in JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

namespace busbar {

/// The value, and null where there is none.
template <class Json = nlohmann::json, class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

}  // namespace busbar
