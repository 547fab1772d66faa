// binary16 and bfloat16 against a reference that looks the nearest value up in a list of all values, in double.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "core/half.h"

namespace busbar {
namespace {

/// What the two formats have in common.
template <class T>
struct Format;

template <>
struct Format<Half> {
  static constexpr std::uint16_t infinity = 0x7c00;
  static constexpr int exponent_bits = 5;
  static Half round(float f) { return to_half(f); }
};

template <>
struct Format<BFloat16> {
  static constexpr std::uint16_t infinity = 0x7f80;
  static constexpr int exponent_bits = 8;
  static BFloat16 round(float f) { return to_bfloat16(f); }
};

/// By the definition of the formats, with no bit tricks. Infinity is taken for the number that would come next.
template <class T>
double value_of(std::uint16_t magnitude) {
  constexpr int mantissa_bits = 15 - Format<T>::exponent_bits;
  constexpr int bias = (1 << (Format<T>::exponent_bits - 1)) - 1;
  const int exponent = magnitude >> mantissa_bits;
  const int mantissa = magnitude & ((1 << mantissa_bits) - 1);
  if (exponent == 0) return std::ldexp(mantissa, 1 - bias - mantissa_bits);
  return std::ldexp(mantissa + (1 << mantissa_bits), exponent - bias - mantissa_bits);
}

template <class T>
class Rounding : public ::testing::Test {
 protected:
  /// All values from 0 to the one after the greatest; a value's bits are its place.
  const std::vector<double> values = [] {
    std::vector<double> all;
    for (std::uint16_t bits = 0; bits <= Format<T>::infinity; ++bits) all.push_back(value_of<T>(bits));
    return all;
  }();

  std::uint16_t reference(float f) const {
    const std::uint16_t sign = std::signbit(f) ? 0x8000 : 0;
    const double size = std::abs(static_cast<double>(f));
    const auto above = std::lower_bound(values.begin(), values.end(), size);
    if (above == values.end()) return static_cast<std::uint16_t>(sign | Format<T>::infinity);
    auto bits = static_cast<unsigned>(above - values.begin());
    if (bits > 0) {
      const double down = size - values[bits - 1];
      const double up = values[bits] - size;
      const bool to_lower = down < up || (down == up && (bits - 1) % 2 == 0);
      if (to_lower) --bits;
    }
    return static_cast<std::uint16_t>(sign | bits);
  }

  void check(float f) const { ASSERT_EQ(Format<T>::round(f).bits, reference(f)) << std::hexfloat << f; }
};

using Formats = ::testing::Types<Half, BFloat16>;
TYPED_TEST_SUITE(Rounding, Formats);

TYPED_TEST(Rounding, AllValuesSurviveTheRoundTrip) {
  using F = Format<TypeParam>;
  for (unsigned bits = 0; bits <= 0xffffU; ++bits) {
    const TypeParam original{static_cast<std::uint16_t>(bits)};
    const float f = to_float(original);
    const auto magnitude = static_cast<std::uint16_t>(bits & 0x7fffU);
    if (magnitude > F::infinity) {
      ASSERT_TRUE(std::isnan(f));
      ASSERT_TRUE(std::isnan(to_float(F::round(f))));
      continue;
    }
    const double size =
        magnitude == F::infinity ? std::numeric_limits<double>::infinity() : value_of<TypeParam>(magnitude);
    ASSERT_EQ(static_cast<double>(f), bits & 0x8000U ? -size : size);
    ASSERT_EQ(std::signbit(f), (bits & 0x8000U) != 0);
    ASSERT_EQ(F::round(f).bits, bits);
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
  EXPECT_EQ(F::round(0.0F).bits, 0x0000);
  EXPECT_EQ(F::round(-0.0F).bits, 0x8000);
  EXPECT_EQ(F::round(INFINITY).bits, F::infinity);
  EXPECT_EQ(F::round(-INFINITY).bits, F::infinity | 0x8000);
  EXPECT_EQ(F::round(std::numeric_limits<float>::max()).bits, F::infinity);
  for (const std::uint32_t nan : {0x7f800001U, 0x7fc00000U, 0x7fffffffU, 0xff800001U, 0xffffffffU}) {
    EXPECT_TRUE(std::isnan(to_float(F::round(std::bit_cast<float>(nan)))));
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

}  // namespace
}  // namespace busbar
