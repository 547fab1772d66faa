// The floating-point types narrower than float against a reference that looks the nearest value up in a list of all
// values, in double.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "core/small_float.h"

namespace busbar {
namespace {

/// What sets the formats apart. `beyond` is the first magnitude that stands for no number: infinity or, of float8_e4m3,
/// NaN.
template <class T>
struct Format;

template <>
struct Format<Half> {
  static constexpr unsigned beyond = 0x7c00;
  static constexpr bool has_infinity = true;
  static constexpr int exponent_bits = 5;
};

template <>
struct Format<BFloat16> {
  static constexpr unsigned beyond = 0x7f80;
  static constexpr bool has_infinity = true;
  static constexpr int exponent_bits = 8;
};

template <>
struct Format<Float8E4M3> {
  static constexpr unsigned beyond = 0x7f;
  static constexpr bool has_infinity = false;
  static constexpr int exponent_bits = 4;
};

template <>
struct Format<Float8E5M2> {
  static constexpr unsigned beyond = 0x7c;
  static constexpr bool has_infinity = true;
  static constexpr int exponent_bits = 5;
};

template <class T>
constexpr unsigned width = sizeof(T) * 8;
template <class T>
constexpr unsigned sign_bit = 1U << (width<T> - 1);

template <class T>
T from_bits(unsigned bits) {
  T value;
  value.bits = static_cast<decltype(value.bits)>(bits);
  return value;
}

/// By the definition of the formats, with no bit tricks. What is beyond the greatest number is taken for the number
/// that would come next.
template <class T>
double value_of(unsigned magnitude) {
  constexpr int mantissa_bits = static_cast<int>(width<T>) - 1 - Format<T>::exponent_bits;
  constexpr int bias = (1 << (Format<T>::exponent_bits - 1)) - 1;
  const int exponent = static_cast<int>(magnitude >> mantissa_bits);
  const int mantissa = static_cast<int>(magnitude & ((1U << mantissa_bits) - 1));
  if (exponent == 0) return std::ldexp(mantissa, 1 - bias - mantissa_bits);
  return std::ldexp(mantissa + (1 << mantissa_bits), exponent - bias - mantissa_bits);
}

template <class T>
class Rounding : public ::testing::Test {
 protected:
  /// All values from 0 to the one after the greatest; a value's bits are its place.
  const std::vector<double> values = [] {
    std::vector<double> all;
    for (unsigned bits = 0; bits <= Format<T>::beyond; ++bits) all.push_back(value_of<T>(bits));
    return all;
  }();

  unsigned reference(float f) const {
    const unsigned sign = std::signbit(f) ? sign_bit<T> : 0;
    const double size = std::abs(static_cast<double>(f));
    const auto above = std::lower_bound(values.begin(), values.end(), size);
    if (above == values.end()) return sign | Format<T>::beyond;
    auto bits = static_cast<unsigned>(above - values.begin());
    if (bits > 0) {
      const double down = size - values[bits - 1];
      const double up = values[bits] - size;
      const bool to_lower = down < up || (down == up && (bits - 1) % 2 == 0);
      if (to_lower) --bits;
    }
    return sign | bits;
  }

  void check(float f) const { ASSERT_EQ(unsigned{from_float<T>(f).bits}, reference(f)) << std::hexfloat << f; }
};

using Formats = ::testing::Types<Half, BFloat16, Float8E4M3, Float8E5M2>;
TYPED_TEST_SUITE(Rounding, Formats);

TYPED_TEST(Rounding, AllValuesSurviveTheRoundTrip) {
  using F = Format<TypeParam>;
  for (unsigned bits = 0; bits < 2 * sign_bit<TypeParam>; ++bits) {
    const float f = to_float(from_bits<TypeParam>(bits));
    const bool negative = (bits & sign_bit<TypeParam>) != 0;
    const unsigned magnitude = bits & (sign_bit<TypeParam> - 1);
    ASSERT_EQ(std::signbit(f), negative);
    if (magnitude > F::beyond || (magnitude == F::beyond && !F::has_infinity)) {
      ASSERT_TRUE(std::isnan(f)) << bits;
      ASSERT_TRUE(std::isnan(to_float(from_float<TypeParam>(f))));
      continue;
    }
    const double size =
        magnitude == F::beyond ? std::numeric_limits<double>::infinity() : value_of<TypeParam>(magnitude);
    ASSERT_EQ(static_cast<double>(f), negative ? -size : size);
    ASSERT_EQ(unsigned{from_float<TypeParam>(f).bits}, bits);
  }
}

TYPED_TEST(Rounding, TiesGoToEvenAndNeighboursOfTiesDoNot) {
  for (std::size_t i = 0; i + 1 < this->values.size(); ++i) {
    const auto tie = static_cast<float>((this->values[i] + this->values[i + 1]) / 2);
    for (const float f : {tie, std::nextafter(tie, 0.0F), std::nextafter(tie, INFINITY)}) {
      this->check(f);
      this->check(-f);
    }
  }
}

TYPED_TEST(Rounding, RandomFloatsRoundToNearest) {
  std::mt19937 random(42);
  for (int i = 0; i < 500'000; ++i) {
    const auto f = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (!std::isnan(f)) this->check(f);
  }
}

TYPED_TEST(Rounding, SpecialValues) {
  using F = Format<TypeParam>;
  const auto rounded = [](float f) { return unsigned{from_float<TypeParam>(f).bits}; };
  EXPECT_EQ(rounded(0.0F), 0U);
  EXPECT_EQ(rounded(-0.0F), sign_bit<TypeParam>);
  EXPECT_EQ(rounded(INFINITY), F::beyond);
  EXPECT_EQ(rounded(-INFINITY), F::beyond | sign_bit<TypeParam>);
  EXPECT_EQ(rounded(std::numeric_limits<float>::max()), F::beyond);
  for (const std::uint32_t nan : {0x7f800001U, 0x7fc00000U, 0x7fffffffU, 0xff800001U, 0xffffffffU}) {
    EXPECT_TRUE(std::isnan(to_float(from_float<TypeParam>(std::bit_cast<float>(nan)))));
  }
}

TEST(Half, KnownValues) {
  EXPECT_EQ(to_half(1.0F).bits, 0x3c00);
  EXPECT_EQ(to_half(65504.0F).bits, 0x7bff);
  EXPECT_EQ(to_half(65519.996F).bits, 0x7bff);
  EXPECT_EQ(to_half(65520.0F).bits, 0x7c00);
  EXPECT_EQ(to_half(0x1p-24F).bits, 0x0001);
  EXPECT_EQ(to_half(0x1p-25F).bits, 0x0000);
}

TEST(BFloat16, KnownValues) {
  EXPECT_EQ(to_bfloat16(1.0F).bits, 0x3f80);
  EXPECT_EQ(to_bfloat16(96.0F).bits, 0x42c0);
  EXPECT_EQ(to_bfloat16(257.0F).bits, to_bfloat16(256.0F).bits);
}

TEST(Float8E4M3, KnownValues) {
  EXPECT_EQ(to_float8_e4m3(1.0F).bits, 0x38);
  EXPECT_EQ(to_float8_e4m3(-16.0F).bits, 0xd8);
  EXPECT_EQ(to_float8_e4m3(17.0F).bits, to_float8_e4m3(16.0F).bits);
  EXPECT_EQ(to_float8_e4m3(448.0F).bits, 0x7e);
  EXPECT_EQ(to_float8_e4m3(464.0F).bits, 0x7e);
  EXPECT_EQ(to_float8_e4m3(464.00003F).bits, 0x7f);
  EXPECT_EQ(to_float8_e4m3(0x1p-9F).bits, 0x01);
  EXPECT_EQ(to_float8_e4m3(0x1p-10F).bits, 0x00);
}

TEST(Float8E5M2, KnownValues) {
  EXPECT_EQ(to_float8_e5m2(1.0F).bits, 0x3c);
  EXPECT_EQ(to_float8_e5m2(-8.0F).bits, 0xc8);
  EXPECT_EQ(to_float8_e5m2(9.0F).bits, to_float8_e5m2(8.0F).bits);
  EXPECT_EQ(to_float8_e5m2(57344.0F).bits, 0x7b);
  EXPECT_EQ(to_float8_e5m2(61439.996F).bits, 0x7b);
  EXPECT_EQ(to_float8_e5m2(61440.0F).bits, 0x7c);
  EXPECT_EQ(to_float8_e5m2(0x1p-16F).bits, 0x01);
  EXPECT_EQ(to_float8_e5m2(0x1p-17F).bits, 0x00);
}

}  // namespace
}  // namespace busbar
