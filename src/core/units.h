// Strong types for what must not be mixed up: bytes, element counts, ranks, nanoseconds, microseconds.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace busbar {

/// A value that only mixes with its own kind. `.value` gets out of the type system, visibly.
template <class Tag, class T>
struct Strong {
  T value{};
  constexpr Strong() = default;
  constexpr explicit Strong(T v) : value(v) {}
  friend constexpr auto operator<=>(const Strong&, const Strong&) = default;
};

/// A number of bytes.
struct Bytes : Strong<Bytes, std::uint64_t> {
  using Strong::Strong;
};

/// A worker's place in the group it takes part in. Not a process number, not a GPU.
struct Rank : Strong<Rank, int> {
  using Strong::Strong;
};

/// A process's place in the whole launch, whatever its role. Printed as "rank" to users, who know no other.
struct ProcessId : Strong<ProcessId, int> {
  using Strong::Strong;
};

/// What a process is there for. Only workers take part in operations.
enum class Role : std::uint8_t { worker, aggregator };

/// The role's name in the record.
constexpr std::string_view name(Role role) { return role == Role::worker ? "worker" : "aggregator"; }

/// Time on one clock, from an origin that only the clock knows.
using Nanoseconds = std::chrono::nanoseconds;

/// The unit of every figure that leaves the engine.
using Microseconds = std::chrono::duration<double, std::micro>;

constexpr double as_us(Nanoseconds t) { return std::chrono::duration_cast<Microseconds>(t).count(); }

}  // namespace busbar
