// The known answers against explicit reductions of what was really filled in, and what verification must not let
// through.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <set>
#include <stdexcept>
#include <vector>

#include "cpp/pattern_buffers.h"
#include "memory/host.h"

namespace busbar {
namespace {

using namespace testing;

template <class Visit>
void for_each_reduction(const Visit& visit) {
  for (const DataType type : all_datatypes()) {
    for (const RedOp redop : all_redops()) {
      for (const int ranks : {1, 2, 3, 8, 31, 32, 33, 34, 100, 300}) {
        SCOPED_TRACE(::testing::Message() << name(type) << ' ' << name(redop) << ", " << ranks << " ranks");
        visit(Pattern{type, redop, ranks, 77});
      }
    }
  }
}

TEST(Reductions, TableMatchesAnExplicitReduction) {
  constexpr std::size_t count = 2100;  // more than two periods
  for_each_reduction([&](const Pattern& pattern) {
    std::vector<double> exact(count);
    for (int rank = 0; rank < pattern.ranks; ++rank) {
      const Buffer input = input_of(pattern, rank, count);
      const double scalar = pattern.redop == RedOp::premulsum ? premultiplier(Rank{rank}) : 1;
      for (std::size_t i = 0; i < count; ++i) {
        const double x = scalar * number_at(pattern.type, input, i);
        double& total = exact[i];
        if (rank == 0)
          total = x;
        else if (pattern.redop == RedOp::prod)
          total *= x;
        else if (pattern.redop == RedOp::min)
          total = std::min(total, x);
        else if (pattern.redop == RedOp::max)
          total = std::max(total, x);
        else
          total += x;
      }
    }
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(exact[i], static_cast<double>(expected_reduction(pattern, i))) << i;
    }
  });
}

TEST(Reductions, AreExactInTheTypeItselfInAnyOrder) {
  constexpr std::size_t count = 150;
  std::mt19937 random(3);
  for_each_reduction([&](const Pattern& pattern) {
    std::vector<Buffer> inputs = contributions_of(pattern, count);
    for (int order = 0; order < 4; ++order) {
      EXPECT_EQ(wrong(pattern, reduce_in_type(pattern, inputs, order % 2 == 0)), 0U);
      std::shuffle(inputs.begin(), inputs.end(), random);
    }
  });
}

TEST(Reductions, OfEightBitFloatsAreExactInRandomTreesOfAnyNumberOfRanks) {
  constexpr std::size_t count = 40;
  std::mt19937 random(5);
  for (const DataType type : {DataType::float8_e4m3, DataType::float8_e5m2}) {
    for (const RedOp redop : all_redops()) {
      for (int ranks = 1; ranks <= 1000; ranks += ranks < 70 ? 1 : 31) {
        const Pattern pattern{type, redop, ranks, random()};
        Buffer result = reduce_in_random_tree(pattern, contributions_of(pattern, count), random);
        if (redop == RedOp::avg) average_in_place(type, result.data(), count, ranks);
        ASSERT_EQ(wrong(pattern, result), 0U) << name(type) << ' ' << name(redop) << ", " << ranks << " ranks";
      }
    }
  }
}

/// All that a type has to represent, whichever ranks have been added so far: every whole number up to the largest sum,
/// and every even one up to the largest premulsum.
TEST(Reductions, PartialSumsOfEightBitFloatsAreNumbersOfTheType) {
  for (const DataType type : {DataType::float8_e4m3, DataType::float8_e5m2}) {
    for (const RedOp redop : {RedOp::sum, RedOp::premulsum}) {
      std::int64_t largest = 0;
      for (std::size_t i = 0; i < 1009; ++i) {
        for (const std::uint64_t seed : {6U, 7U}) {
          largest = std::max(largest, std::abs(expected_reduction({type, redop, 40, seed}, i)));
        }
      }
      EXPECT_GE(largest, type == DataType::float8_e4m3 ? 10 : 6);
      const std::int64_t step = redop == RedOp::premulsum ? 2 : 1;
      for (std::int64_t partial = -largest; partial <= largest; partial += step) {
        EXPECT_EQ(number_at(type, encode(type, {partial}), 0), static_cast<double>(partial)) << name(type);
      }
    }
  }
}

TEST(Reductions, StayWithinEveryTypeForMillionsOfRanks) {
  constexpr int ranks = 5'000'000;
  for (const bool narrow : {false, true}) {
    const element::Contributions value{
        .redop = RedOp::sum, .is_signed = true, .contributors = narrow ? element::distinct_places : ~0U, .flavour = 1};
    const Pattern pattern{narrow ? DataType::int8 : DataType::float32, RedOp::sum, ranks, 1};
    for (const std::uint32_t phase : {0U, 1U, 500U, 1008U}) {
      std::int64_t sum = 0;
      for (std::uint32_t place = 0; place < ranks; ++place) sum += value.at(place, phase);
      EXPECT_EQ(sum, expected_reduction(pattern, phase));
      EXPECT_LE(std::abs(sum), narrow ? 96 : 1 << 24);
    }
  }
}

TEST(Reductions, ChunksAreFilledAndVerifiedAtAnyOffset) {
  const Pattern pattern{DataType::float32, RedOp::sum, 40, 5};
  const Buffer answer = answer_of(pattern, 5000);
  for (const std::size_t offset : {0U, 1U, 1008U, 1009U, 1010U, 3000U}) {
    EXPECT_EQ(count_wrong(pattern, std::nullopt, offset, answer.data() + offset * 4, 5000 - offset), 0U);
    EXPECT_GT(count_wrong(pattern, std::nullopt, offset + 1, answer.data() + offset * 4, 5000 - offset), 1000U);
  }
}

TEST(Reductions, LongFillsEqualShortOnes) {  // the two ways of writing contributions
  for (const DataType type : {DataType::int8, DataType::bfloat16, DataType::float64}) {
    const Pattern pattern{type, RedOp::sum, 5, 9};
    const std::size_t count = 50'000;
    const Buffer data = input_of(pattern, 3, count);
    for (std::size_t offset = 0; offset < count; offset += 1000) {
      EXPECT_EQ(count_wrong(pattern, Rank{3}, offset, data.data() + offset * size_of(type), 1000), 0U);
    }
    EXPECT_EQ(wrong(pattern, data, Rank{3}), 0U);
    EXPECT_GT(wrong(pattern, data, Rank{2}), count / 4);
  }
}

TEST(Reductions, EveryMissingContributionIsSeen) {
  struct Case {
    DataType type;
    std::uint64_t seen;  ///< elements of `ranks`
  };
  constexpr int ranks = 60;
  for (const auto& [type, seen] :
       {Case{DataType::int8, 32}, Case{DataType::bfloat16, 32}, Case{DataType::float8_e4m3, 5},
        Case{DataType::float8_e5m2, 3}, Case{DataType::int32, ranks}, Case{DataType::float32, ranks}}) {
    const Pattern pattern{type, RedOp::sum, ranks, 4};
    for (int absent = 0; absent < ranks; ++absent) {
      std::vector<Buffer> inputs;
      for (int rank = 0; rank < ranks; ++rank) {
        if (rank != absent) inputs.push_back(input_of(pattern, rank, ranks));
      }
      EXPECT_EQ(wrong(pattern, reduce_in_type(pattern, inputs, false)), seen) << name(type) << ", rank " << absent;
    }
  }
}

TEST(Reductions, ShiftsByPowersOfTwoAreSeen) {
  constexpr std::size_t count = 3000;
  for_each_reduction([&](const Pattern& pattern) {
    if (pattern.redop == RedOp::avg) return;
    const Buffer answer = answer_of(pattern, count);
    for (std::size_t shift = 1; shift <= 1U << 20U; shift *= 2) {
      EXPECT_GT(count_wrong(pattern, std::nullopt, shift, answer.data(), count), count / 4) << shift;
    }
  });
}

TEST(Reductions, PairedSeedsDifferAtEveryElement) {
  for_each_reduction([&](Pattern pattern) {
    const bool integer_average = pattern.redop == RedOp::avg && pattern.type <= DataType::uint64;
    if (integer_average) return;
    const Buffer result = reduce_in_type(pattern, contributions_of(pattern, 1009), false);
    EXPECT_EQ(wrong(pattern, result), 0U);
    pattern.seed ^= 1U;
    EXPECT_EQ(wrong(pattern, result), 1009U);
    pattern.seed += 2;
    EXPECT_GT(wrong(pattern, result), 250U);
  });
}

TEST(Reductions, PoisonIsNeverRight) {
  HostMemory memory;
  for_each_reduction([&](const Pattern& pattern) {
    Buffer data(1009 * size_of(pattern.type));
    memory.poison(data.data(), Bytes{data.size()});
    EXPECT_EQ(wrong(pattern, data), 1009U);
  });
}

TEST(Reductions, NanIsWrong) {
  const Pattern pattern{DataType::float64, RedOp::sum, 4, 6};
  for (const double bad : {std::nan(""), -std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    Buffer data = answer_of(pattern, 3);
    reinterpret_cast<double*>(data.data())[1] = bad;
    EXPECT_EQ(wrong(pattern, data), 1U);
  }
}

TEST(Movement, FloatsAreFiniteNormalNumbers) {
  for (const DataType type : floats) {
    const bool five_bits = type == DataType::half || type == DataType::float8_e5m2;
    const double smallest = type == DataType::float8_e4m3 ? 0x1p-6 : five_bits ? 0x1p-14 : 0x1p-126;
    const Buffer data = input_of({type, std::nullopt, 2, 1}, 1, 20'000);
    bool negative = false;
    for (std::size_t i = 0; i < 20'000; ++i) {
      const double x = number_at(type, data, i);
      ASSERT_TRUE(std::isfinite(x));
      ASSERT_TRUE(type == DataType::float64 ? std::isnormal(x) : std::abs(x) >= smallest);
      negative |= x < 0;
    }
    EXPECT_TRUE(negative);
  }
}

TEST(Movement, EightBitsTakeAllValues) {
  const Buffer data = input_of({DataType::int8, std::nullopt, 2, 1}, 1, 20'000);
  EXPECT_EQ(std::set<std::byte>(data.begin(), data.end()).size(), 256U);
}

TEST(Movement, VerifiesAcrossBlocksAtAnyOffset) {
  constexpr std::size_t count = 140'000;  // more than two blocks
  for (const DataType type : all_datatypes()) {
    const Pattern pattern{type, std::nullopt, 4, 2};
    const Buffer data = input_of(pattern, 1, count);
    for (const std::size_t offset : {0U, 1U, 65535U, 65536U, 131073U}) {
      const std::byte* at = data.data() + offset * size_of(type);
      EXPECT_EQ(count_wrong(pattern, Rank{1}, offset, at, count - offset), 0U) << name(type);
    }
  }
}

/// 8-bit values coincide once in 256 or, of floating-point types, 128, 16-bit ones hardly ever, wider ones never within
/// a block.
std::uint64_t least_wrong(DataType type, std::uint64_t count) { return size_of(type) >= 4 ? count : count * 98 / 100; }

TEST(Movement, MisplacedOrForeignElementsAreSeen) {
  constexpr std::size_t count = 10'000;
  for (const DataType type : all_datatypes()) {
    const Pattern pattern{type, std::nullopt, 4, 2};
    const Buffer data = input_of(pattern, 1, count);
    for (std::size_t shift = 1; shift <= 1U << 15U; shift *= 2) {
      EXPECT_GE(count_wrong(pattern, Rank{1}, shift, data.data(), count), least_wrong(type, count)) << shift;
    }
    EXPECT_GE(count_wrong(pattern, Rank{1}, 1U << 20U, data.data(), count), count * 98 / 100);
    EXPECT_GE(wrong(pattern, data, Rank{2}), count * 98 / 100);
    Pattern other = pattern;
    other.seed = 3;
    EXPECT_EQ(wrong(other, data, Rank{1}), count) << "the pair's other seed differs everywhere";
    other.seed = 4;
    EXPECT_GE(wrong(other, data, Rank{1}), count * 98 / 100);
  }
}

TEST(Movement, PoisonIsSeen) {
  HostMemory memory;
  for (const DataType type : all_datatypes()) {
    Buffer data(10'000 * size_of(type));
    memory.poison(data.data(), Bytes{data.size()});
    const bool certain = type > DataType::uint64;
    EXPECT_GE(wrong({type, std::nullopt, 2, 1}, data, Rank{0}), certain ? 10'000U : 9'800U) << name(type);
  }
}

TEST(Patterns, RefuseWhatHasNoAnswer) {
  const Pattern moved{DataType::int8, std::nullopt, 2, 1};
  const std::byte byte{};
  EXPECT_THROW(count_wrong(moved, std::nullopt, 0, &byte, 1), std::logic_error);
  EXPECT_THROW(expected_reduction(moved, 0), std::logic_error);
  EXPECT_EQ(count_wrong(moved, Rank{0}, 0, &byte, 0), 0U);
}

}  // namespace
}  // namespace busbar
