#include "plugins/mpi_capture/store.h"

#include <algorithm>
#include <functional>
#include <string_view>
#include <tuple>

namespace busbar::plugins {
namespace {

constexpr std::size_t most_different = 4096;  // some 400 KB for each group

std::string_view text(const char* name) { return name == nullptr ? std::string_view() : name; }

auto order(const Calls& c) {
  return std::make_tuple(text(c.call.function), text(c.call.datatype), text(c.call.op), c.call.blocking, c.call.bytes);
}

}  // namespace

std::size_t Store::Hash::operator()(const Call& call) const noexcept {
  std::size_t mixed = call.bytes.value_or(1) * 2 + (call.blocking ? 1 : 0);
  for (const char* name : {call.function, call.datatype, call.op}) {
    mixed = (mixed ^ std::hash<const void*>()(name)) * 0x9e3779b97f4a7c15U;  // 2^64 / golden ratio
  }
  return mixed ^ (mixed >> 32U);
}

void Store::add(const Call& call) noexcept {
  const std::lock_guard lock(mutex_);
  try {
    if (const auto known = times_.find(call); known != times_.end()) {
      ++known->second;
    } else if (times_.size() < most_different) {
      times_.emplace(call, 1);
    } else {
      ++lost_;
    }
  } catch (...) {
    ++lost_;  // out of memory
  }
}

std::vector<Calls> Store::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<Calls> calls;
  for (const auto& [call, times] : times_) calls.push_back({call, times});
  std::sort(calls.begin(), calls.end(), [](const Calls& a, const Calls& b) { return order(a) < order(b); });
  return calls;
}

std::uint64_t Store::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

}  // namespace busbar::plugins
