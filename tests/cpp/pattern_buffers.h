// Patterns' inputs and answers in memory, and ways to reduce the inputs in their own type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "memory/element.h"
#include "memory/pattern.h"
#include "memory/reduce.h"

namespace busbar::testing {

using Buffer = std::vector<std::byte>;

inline Buffer input_of(const Pattern& pattern, int rank, std::size_t count) {
  Buffer data(count * size_of(pattern.type));
  fill_input(pattern, Rank{rank}, data.data(), count);
  return data;
}

/// Every element times `scalar`, rounded to the type.
inline void multiply(DataType type, Buffer& data, double scalar) {
  with_type(type, [&](auto v) {
    using T = decltype(v);
    const std::size_t count = data.size() / sizeof(T);
    T factor{};
    if constexpr (is_small_float<T>) {
      factor = from_float<T>(static_cast<float>(scalar));
    } else {
      factor = static_cast<T>(scalar);
    }
    const std::vector<T> factors(count, factor);
    reduce_into(type, RedOp::prod, data.data(), reinterpret_cast<const std::byte*>(factors.data()), count);
  });
}

/// What a rank has to add: for premulsum its input times its scalar.
inline Buffer contribution_of(const Pattern& pattern, int rank, std::size_t count) {
  Buffer data = input_of(pattern, rank, count);
  if (pattern.redop == RedOp::premulsum) multiply(pattern.type, data, premultiplier(Rank{rank}));
  return data;
}

inline std::vector<Buffer> contributions_of(const Pattern& pattern, std::size_t count) {
  std::vector<Buffer> all;
  for (int rank = 0; rank < pattern.ranks; ++rank) all.push_back(contribution_of(pattern, rank, count));
  return all;
}

/// Element `index` as a number.
inline double number_at(DataType type, const Buffer& data, std::size_t index) {
  return with_type(type, [&](auto v) {
    using T = decltype(v);
    const T value = reinterpret_cast<const T*>(data.data())[index];
    if constexpr (is_small_float<T>) {
      return static_cast<double>(to_float(value));
    } else {
      return static_cast<double>(value);
    }
  });
}

/// Whole numbers as a buffer of the type.
inline Buffer encode(DataType type, const std::vector<std::int64_t>& numbers) {
  Buffer data(numbers.size() * size_of(type));
  with_type(type, [&](auto v) {
    using T = decltype(v);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      reinterpret_cast<T*>(data.data())[i] = element::from_integer<T>(numbers[i]);
    }
  });
  return data;
}

inline Buffer answer_of(const Pattern& pattern, std::size_t count) {
  std::vector<std::int64_t> numbers(count);
  for (std::size_t i = 0; i < count; ++i) numbers[i] = expected_reduction(pattern, i);
  return encode(pattern.type, numbers);
}

inline std::uint64_t wrong(const Pattern& pattern, const Buffer& data, std::optional<Rank> from = std::nullopt) {
  return count_wrong(pattern, from, 0, data.data(), data.size() / size_of(pattern.type));
}

/// Reduces in the type itself, in the order given: pairwise from both ends where `tree`, else one after the other.
inline Buffer reduce_in_type(const Pattern& pattern, std::vector<Buffer> inputs, bool tree) {
  const std::size_t count = inputs[0].size() / size_of(pattern.type);
  while (inputs.size() > 1) {
    const std::size_t half = tree ? inputs.size() / 2 : 1;
    for (std::size_t i = 0; i < half; ++i) {
      reduce_into(pattern.type, *pattern.redop, inputs[i].data(), inputs.back().data(), count);
      inputs.pop_back();
    }
  }
  if (pattern.redop == RedOp::avg) average_in_place(pattern.type, inputs[0].data(), count, pattern.ranks);
  return inputs[0];
}

/// Two of them at a time, any two, until one is left.
inline Buffer reduce_in_random_tree(const Pattern& pattern, std::vector<Buffer> inputs, std::mt19937& random) {
  const std::size_t count = inputs[0].size() / size_of(pattern.type);
  while (inputs.size() > 1) {
    std::swap(inputs[random() % inputs.size()], inputs.back());
    const Buffer taken = std::move(inputs.back());
    inputs.pop_back();
    reduce_into(pattern.type, *pattern.redop, inputs[random() % inputs.size()].data(), taken.data(), count);
  }
  return inputs[0];
}

inline constexpr DataType floats[] = {DataType::float8_e4m3, DataType::float8_e5m2, DataType::half,
                                      DataType::bfloat16,    DataType::float32,     DataType::float64};

}  // namespace busbar::testing
