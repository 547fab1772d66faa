#include "memory/reduce.h"

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
  if constexpr (std::is_same_v<T, Half>) {
    return to_half(Op::apply(to_float(a), to_float(b)));
  } else if constexpr (std::is_same_v<T, BFloat16>) {
    return to_bfloat16(Op::apply(to_float(a), to_float(b)));
  } else {
    return Op::apply(a, b);
  }
}

template <class Op>
void reduce_all(DataType type, std::byte* destination, const std::byte* source, std::size_t count) {
  with_type(type, [&](auto v) {
    using T = decltype(v);
    auto* __restrict to = reinterpret_cast<T*>(destination);
    const auto* __restrict from = reinterpret_cast<const T*>(source);
    for (std::size_t i = 0; i < count; ++i) to[i] = apply<Op>(to[i], from[i]);
  });
}

template <class T>
T quotient(T value, int ranks) {
  if constexpr (std::is_same_v<T, Half>) {
    return to_half(to_float(value) / static_cast<float>(ranks));
  } else if constexpr (std::is_same_v<T, BFloat16>) {
    return to_bfloat16(to_float(value) / static_cast<float>(ranks));
  } else if constexpr (std::integral<T> && sizeof(T) < 8) {
    return static_cast<T>(static_cast<std::int64_t>(value) / ranks);  // ranks need not fit a narrow type
  } else {
    return value / static_cast<T>(ranks);
  }
}

}  // namespace

void reduce_into(DataType type, RedOp redop, std::byte* destination, const std::byte* source, std::size_t count) {
  switch (redop) {
    case RedOp::sum:
    case RedOp::avg: return reduce_all<Sum>(type, destination, source, count);
    case RedOp::prod: return reduce_all<Prod>(type, destination, source, count);
    case RedOp::min: return reduce_all<Min>(type, destination, source, count);
    case RedOp::max: return reduce_all<Max>(type, destination, source, count);
  }
}

void average_in_place(DataType type, std::byte* data, std::size_t count, int ranks) {
  with_type(type, [&](auto v) {
    auto* values = reinterpret_cast<decltype(v)*>(data);
    for (std::size_t i = 0; i < count; ++i) values[i] = quotient(values[i], ranks);
  });
}

}  // namespace busbar
