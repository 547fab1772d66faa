// The known answers of operators that multiply or divide, avg and premulsum: in the type itself, in either order.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

#include "cpp/pattern_buffers.h"

namespace busbar {
namespace {

using namespace testing;

/// An 8-, 16-, 32- or 64-bit floating-point number moved by `ulps` towards or away from zero.
template <class Bits>
Buffer moved_by(const Buffer& data, int ulps) {
  Buffer result = data;
  auto* bits = reinterpret_cast<Bits*>(result.data());
  for (std::size_t i = 0; i < data.size() / sizeof(Bits); ++i)
    bits[i] = static_cast<Bits>(bits[i] + static_cast<Bits>(ulps));
  return result;
}

TEST(Averages, OfFloatsPassExactlyAndOnlyThen) {
  constexpr std::size_t count = 1009;
  for (const DataType type : floats) {
    for (const int ranks : {1, 3, 4, 7, 60}) {
      const Pattern pattern{type, RedOp::avg, ranks, 6};
      Buffer right = answer_of(pattern, count);
      average_in_place(type, right.data(), count, ranks);
      const auto at_distance = [&](int ulps) {
        if (size_of(type) == 1) return wrong(pattern, moved_by<std::uint8_t>(right, ulps));
        if (size_of(type) == 2) return wrong(pattern, moved_by<std::uint16_t>(right, ulps));
        if (size_of(type) == 4) return wrong(pattern, moved_by<std::uint32_t>(right, ulps));
        return wrong(pattern, moved_by<std::uint64_t>(right, ulps));
      };
      EXPECT_EQ(at_distance(0), 0U);
      EXPECT_EQ(at_distance(1), count) << name(type);
      EXPECT_EQ(at_distance(-1), count) << name(type);
    }
  }
}

/// As NCCL averages floating-point numbers: every input times 1/ranks in the type, then a sum in any order.
TEST(Averages, OfFloatsPassWhereInputsAreDividedFirst) {
  constexpr std::size_t count = 30;
  std::mt19937 random(5);
  for (const DataType type : floats) {
    for (int ranks = 1; ranks <= 1023; ranks += ranks < 70 ? 1 : 53) {
      const Pattern pattern{type, RedOp::avg, ranks, random()};
      std::vector<Buffer> inputs = contributions_of(pattern, count);
      for (Buffer& input : inputs) multiply(type, input, 1.0 / ranks);
      ASSERT_EQ(wrong(pattern, reduce_in_random_tree(pattern, inputs, random)), 0U)
          << name(type) << ", " << ranks << " ranks";
    }
  }
}

TEST(Averages, AnswersStayApartUpToTheMostRanks) {
  for (const DataType type : floats) {
    const int most = std::min(most_averaged_ranks(type), 100'000);
    for (const int ranks : {2, 64, 65, 500, 1023, most}) {
      if (ranks > most) continue;
      const Pattern pattern{type, RedOp::avg, ranks, 8};
      Buffer right = answer_of(pattern, 1009);
      average_in_place(type, right.data(), 1009, ranks);
      EXPECT_EQ(wrong(pattern, right), 0U) << name(type) << ", " << ranks << " ranks";
      Pattern pair = pattern;
      pair.seed ^= 1U;
      EXPECT_EQ(wrong(pair, right), 1009U) << name(type) << ", " << ranks << " ranks";
    }
  }
}

TEST(Averages, TheMostRanksAreThoseWhoseInverseIsNotZero) {
  EXPECT_EQ(most_averaged_ranks(DataType::float8_e4m3), 1023);
  EXPECT_NE(to_float8_e4m3(1.0F / 1023).bits, 0);
  EXPECT_EQ(to_float8_e4m3(1.0F / 1024).bits, 0);
  const int most = most_averaged_ranks(DataType::float8_e5m2);
  EXPECT_NE(to_float8_e5m2(1.0F / static_cast<float>(most)).bits, 0);
  EXPECT_EQ(to_float8_e5m2(1.0F / static_cast<float>(most + 1)).bits, 0);
  EXPECT_EQ(most_averaged_ranks(DataType::int8), std::numeric_limits<int>::max());
  EXPECT_EQ(most_averaged_ranks(DataType::float64), std::numeric_limits<int>::max());
}

TEST(PreMulSums, AScalarThatIsMissingOrAnothersIsSeen) {
  for (const DataType type : all_datatypes()) {
    for (const int ranks : {1, 2, 7, 60}) {
      const Pattern pattern{type, RedOp::premulsum, ranks, 4};
      const auto with_scalars = [&](auto&& scalar) {
        std::vector<Buffer> inputs;
        for (int rank = 0; rank < ranks; ++rank) {
          inputs.push_back(input_of(pattern, rank, 1009));
          multiply(type, inputs.back(), scalar(rank));
        }
        return wrong(pattern, reduce_in_type(pattern, inputs, false));
      };
      EXPECT_EQ(with_scalars([](int rank) { return premultiplier(Rank{rank}); }), 0U) << name(type);
      EXPECT_GT(with_scalars([](int) { return 1; }), 500U) << name(type) << ", " << ranks << " ranks";
      if (ranks == 1) continue;
      EXPECT_GT(with_scalars([](int) { return 2; }), 500U) << name(type) << ", " << ranks << " ranks";
      EXPECT_GT(with_scalars([](int rank) { return premultiplier(Rank{rank + 1}); }), 500U) << name(type);
    }
  }
}

}  // namespace
}  // namespace busbar
