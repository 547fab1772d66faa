#include "memory/reduce.h"

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <type_traits>

namespace busbar {
namespace {

/// Signed overflow is undefined, and types narrower than int are promoted to int: so integers are added and multiplied
/// as unsigned numbers of at least int's width and cut back, which wraps. Floating-point types are left alone.
template <class T>
auto arithmetic(T value) {
  if constexpr (std::integral<T>) {
    return static_cast<std::common_type_t<std::make_unsigned_t<T>, unsigned>>(value);
  } else {
    return value;
  }
}

struct Sum {
  template <class T>
  static T apply(T a, T b) {
    return static_cast<T>(arithmetic(a) + arithmetic(b));
  }
};

struct Prod {
  template <class T>
  static T apply(T a, T b) {
    return static_cast<T>(arithmetic(a) * arithmetic(b));
  }
};

struct Min {
  template <class T>
  static T apply(T a, T b) {
    return b < a ? b : a;
  }
};

struct Max {
  template <class T>
  static T apply(T a, T b) {
    return a < b ? b : a;
  }
};

template <class Op, class T>
T apply(T a, T b) {
  if constexpr (is_small_float<T>) {
    return from_float<T>(Op::apply(to_float(a), to_float(b)));
  } else {
    return Op::apply(a, b);
  }
}

// So many sources are read side by side: the destination passes through registers once for all of them, and the
// processor's prefetchers follow that many streams with ease.
constexpr std::size_t most_at_once = 4;

template <class Op, class T, std::size_t n>
void combine(T* __restrict to, const std::byte* const* sources, std::size_t first, std::size_t count) {
  std::array<const T*, n> from;
  for (std::size_t k = 0; k < n; ++k) from[k] = reinterpret_cast<const T*>(sources[k]) + first;
  for (std::size_t i = 0; i < count; ++i) {
    T value = to[i];
    for (std::size_t k = 0; k < n; ++k) value = apply<Op>(value, from[k][i]);
    to[i] = value;
  }
}

template <class Op>
void reduce_all(DataType type, std::byte* destination, std::span<const std::byte* const> sources, std::size_t count) {
  with_type(type, [&](auto v) {
    using T = decltype(v);
    // In blocks, so that with many sources the destination stays in the first-level cache.
    constexpr std::size_t block = 8192 / sizeof(T);
    for (std::size_t at = 0; at < count; at += block) {
      T* const to = reinterpret_cast<T*>(destination) + at;
      const std::size_t length = std::min(block, count - at);
      for (std::size_t k = 0; k < sources.size(); k += most_at_once) {
        const std::byte* const* const from = sources.data() + k;
        switch (std::min(most_at_once, sources.size() - k)) {
          case 1: combine<Op, T, 1>(to, from, at, length); break;
          case 2: combine<Op, T, 2>(to, from, at, length); break;
          case 3: combine<Op, T, 3>(to, from, at, length); break;
          default: combine<Op, T, most_at_once>(to, from, at, length); break;
        }
      }
    }
  });
}

template <class T>
T quotient(T value, int ranks) {
  if constexpr (is_small_float<T>) {
    return from_float<T>(to_float(value) / static_cast<float>(ranks));
  } else if constexpr (std::integral<T> && sizeof(T) < 8) {
    return static_cast<T>(static_cast<std::int64_t>(value) / ranks);  // ranks need not fit a narrow type
  } else {
    return value / static_cast<T>(ranks);
  }
}

}  // namespace

void reduce_into(DataType type, RedOp redop, std::byte* destination, const std::byte* source, std::size_t count) {
  reduce_all_into(type, redop, destination, {&source, 1}, count);
}

void reduce_all_into(DataType type, RedOp redop, std::byte* destination, std::span<const std::byte* const> sources,
                     std::size_t count) {
  switch (redop) {
    case RedOp::sum:
    case RedOp::avg:
    case RedOp::premulsum: return reduce_all<Sum>(type, destination, sources, count);
    case RedOp::prod: return reduce_all<Prod>(type, destination, sources, count);
    case RedOp::min: return reduce_all<Min>(type, destination, sources, count);
    case RedOp::max: return reduce_all<Max>(type, destination, sources, count);
  }
}

void average_in_place(DataType type, std::byte* data, std::size_t count, int ranks) {
  with_type(type, [&](auto v) {
    auto* values = reinterpret_cast<decltype(v)*>(data);
    for (std::size_t i = 0; i < count; ++i) values[i] = quotient(values[i], ranks);
  });
}

}  // namespace busbar
