// Element-wise arithmetic against a reference computed one element at a time in a wider type.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

#include "memory/reduce.h"

namespace busbar {
namespace {

template <class T>
void reduce(RedOp redop, DataType type, std::vector<T>& to, const std::vector<T>& from) {
  reduce_into(type, redop, reinterpret_cast<std::byte*>(to.data()), reinterpret_cast<const std::byte*>(from.data()),
              to.size());
}

template <class T>
void average(DataType type, std::vector<T>& data, int ranks) {
  average_in_place(type, reinterpret_cast<std::byte*>(data.data()), data.size(), ranks);
}

template <class Wide>
Wide combine(RedOp redop, Wide a, Wide b) {
  switch (redop) {
    case RedOp::prod: return static_cast<Wide>(a * b);
    case RedOp::min: return std::min(a, b);
    case RedOp::max: return std::max(a, b);
    default: return static_cast<Wide>(a + b);
  }
}

/// Integers: sums and products in 128 bits, then cut to the type. Floating point: in double, then rounded.
template <class T>
T reference(RedOp redop, T a, T b) {
  if constexpr (is_small_float<T>) {
    return from_float<T>(static_cast<float>(combine<double>(redop, to_float(a), to_float(b))));
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(combine<double>(redop, a, b));
  } else {
    __extension__ using Wide = unsigned __int128;
    const bool wraps = redop != RedOp::min && redop != RedOp::max;
    if (!wraps) return combine<T>(redop, a, b);
    return static_cast<T>(static_cast<std::uint64_t>(combine(redop, static_cast<Wide>(a), static_cast<Wide>(b))));
  }
}

/// Any bits for integers; numbers whose sum and product are finite for floating point (up to 448 in float8_e4m3).
template <class T>
std::vector<T> random_values(std::size_t count, unsigned seed) {
  std::mt19937_64 random(seed);
  const float most = sizeof(T) == 1 ? 20.0F : 100.0F;
  std::uniform_real_distribution<float> number(-most, most);
  std::vector<T> values(count);
  for (T& value : values) {
    if constexpr (is_small_float<T>) {
      value = from_float<T>(number(random));
    } else if constexpr (std::is_floating_point_v<T>) {
      value = static_cast<T>(number(random));
    } else {
      value = static_cast<T>(random());
    }
  }
  return values;
}

TEST(ReduceInto, MatchesTheReferenceForEveryTypeOperatorAndLength) {
  for (const DataType type : all_datatypes()) {
    for (const RedOp redop : all_redops()) {
      for (const std::size_t count : {0U, 1U, 2U, 3U, 7U, 16U, 31U, 33U, 1000U}) {
        with_type(type, [&](auto v) {
          using T = decltype(v);
          const auto a = random_values<T>(count, 1);
          const auto b = random_values<T>(count, 2);
          auto result = a;
          reduce(redop, type, result, b);
          for (std::size_t i = 0; i < count; ++i) {
            const T expected = reference(redop, a[i], b[i]);
            ASSERT_EQ(std::memcmp(&result[i], &expected, sizeof(T)), 0) << name(type) << ' ' << name(redop) << ' ' << i;
          }
        });
      }
    }
  }
}

TEST(ReduceInto, LeavesNeighboursAlone) {
  std::vector<std::int8_t> to{1, 2, 3};
  const std::vector<std::int8_t> from{10, 10, 10};
  reduce_into(DataType::int8, RedOp::sum, reinterpret_cast<std::byte*>(to.data()) + 1,
              reinterpret_cast<const std::byte*>(from.data()), 1);
  EXPECT_EQ(to, (std::vector<std::int8_t>{1, 12, 3}));
}

TEST(ReduceInto, IntegersWrapAtTheirLimits) {
  std::vector<std::int64_t> wide{std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()};
  reduce(RedOp::sum, DataType::int64, wide, {1, -1});
  EXPECT_EQ(wide[0], std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(wide[1], std::numeric_limits<std::int64_t>::max());
  std::vector<std::int8_t> narrow{127, -128, 100};
  reduce(RedOp::prod, DataType::int8, narrow, {2, -1, 100});
  EXPECT_EQ(narrow, (std::vector<std::int8_t>{-2, -128, 16}));
}

TEST(AverageInPlace, IntegersRoundTowardsZero) {
  std::vector<std::int32_t> values{7, -7, 8, 0, std::numeric_limits<std::int32_t>::min()};
  average(DataType::int32, values, 4);
  EXPECT_EQ(values, (std::vector<std::int32_t>{1, -1, 2, 0, std::numeric_limits<std::int32_t>::min() / 4}));
  std::vector<std::int8_t> narrow{96, -96};
  average(DataType::int8, narrow, 1000);  // more ranks than the type can count
  EXPECT_EQ(narrow, (std::vector<std::int8_t>{0, 0}));
  std::vector<std::uint64_t> large{std::numeric_limits<std::uint64_t>::max()};
  average(DataType::uint64, large, 3);
  EXPECT_EQ(large[0], std::numeric_limits<std::uint64_t>::max() / 3);
}

TEST(AverageInPlace, FloatsAreCorrectlyRounded) {
  std::vector<float> single{1.0F, -2.0F, 10.0F};
  average(DataType::float32, single, 3);
  EXPECT_EQ(single, (std::vector<float>{1.0F / 3, -2.0F / 3, 10.0F / 3}));
  for (int sum = 1; sum <= 96; ++sum) {
    for (int ranks = 1; ranks <= 300; ++ranks) {
      std::vector<Half> half{to_half(static_cast<float>(sum))};
      std::vector<BFloat16> brain{to_bfloat16(static_cast<float>(sum))};
      average(DataType::half, half, ranks);
      average(DataType::bfloat16, brain, ranks);
      const double exact = static_cast<double>(sum) / ranks;
      ASSERT_LE(std::abs(to_float(half[0]) - exact), std::ldexp(exact, -11)) << sum << '/' << ranks;
      ASSERT_LE(std::abs(to_float(brain[0]) - exact), std::ldexp(exact, -8)) << sum << '/' << ranks;
    }
  }
}

/// No number of the type is nearer to any number of the type divided by any number of ranks.
template <class T>
void expect_nearest_quotients(DataType type) {
  for (const int ranks : {1, 2, 3, 7, 64, 65, 300, 1023}) {
    for (unsigned bits = 0; bits < 256; ++bits) {
      const T value{static_cast<std::uint8_t>(bits)};
      if (!std::isfinite(to_float(value))) continue;
      std::vector<T> quotient{value};
      average(type, quotient, ranks);
      const double exact = static_cast<double>(to_float(value)) / ranks;
      const double error = std::abs(to_float(quotient[0]) - exact);
      for (unsigned other = 0; other < 256; ++other) {
        const double candidate = to_float(T{static_cast<std::uint8_t>(other)});
        ASSERT_FALSE(std::abs(candidate - exact) < error) << name(type) << ' ' << bits << '/' << ranks;
      }
    }
  }
}

TEST(AverageInPlace, EightBitFloatsAreCorrectlyRounded) {
  expect_nearest_quotients<Float8E4M3>(DataType::float8_e4m3);
  expect_nearest_quotients<Float8E5M2>(DataType::float8_e5m2);
}

// Several sources at once give, bit for bit, what one after the other gives, for any number of them and any length.
TEST(ReduceAll, IsReducingOneAfterTheOther) {
  for (const DataType type : all_datatypes()) {
    with_type(type, [&](auto v) {
      using T = decltype(v);
      for (const RedOp redop : all_redops()) {
        for (const std::size_t sources : {0U, 1U, 2U, 3U, 4U, 5U, 9U}) {
          const std::size_t count = 8192 / sizeof(T) + 37;  // beyond one block
          auto together = random_values<T>(count, 1);
          auto one_by_one = together;
          std::vector<std::vector<T>> values;
          std::vector<const std::byte*> pointers;
          for (std::size_t k = 0; k < sources; ++k) values.push_back(random_values<T>(count, static_cast<unsigned>(k)));
          for (const auto& one : values) pointers.push_back(reinterpret_cast<const std::byte*>(one.data()));
          reduce_all_into(type, redop, reinterpret_cast<std::byte*>(together.data()), pointers, count);
          for (const auto& one : values) reduce(redop, type, one_by_one, one);
          EXPECT_EQ(std::memcmp(together.data(), one_by_one.data(), count * sizeof(T)), 0)
              << name(type) << ' ' << name(redop) << ' ' << sources;
        }
      }
    });
  }
}

}  // namespace
}  // namespace busbar
