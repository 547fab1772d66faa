// What the kernels' threads do, done by a loop on the host, against pattern.cpp, which goes about it in another way.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "gpu/share.h"
#include "memory/answers.h"
#include "memory/pattern.h"
#include "memory/reduce.h"

namespace busbar {
namespace {

/// `count` elements, `shift` elements beyond a multiple of 512 bytes, with a margin that must stay as it is.
class Stretch {
 public:
  Stretch(DataType type, std::size_t count, std::size_t shift)
      : bytes_(count * size_of(type)),
        memory_(bytes_ + 1024 + 64, poison_byte),
        data_(memory_.data() + (512 - reinterpret_cast<std::uintptr_t>(memory_.data()) % 512) + shift * size_of(type)) {
  }
  std::byte* data() { return data_; }
  bool margin_is_whole() const {
    for (const std::byte* at = memory_.data(); at < memory_.data() + memory_.size(); ++at) {
      if ((at < data_ || at >= data_ + bytes_) && *at != poison_byte) return false;
    }
    return true;
  }
  bool holds(const std::vector<std::byte>& other) const { return std::equal(other.begin(), other.end(), data_); }

 private:
  std::size_t bytes_;
  std::vector<std::byte> memory_;
  std::byte* data_;
};

template <class T, class Input>
void fill_by_shares(const Input& input, T* data, std::size_t count, unsigned workers) {
  for (unsigned worker = 0; worker < workers; ++worker) gpu::fill_share(input, data, count, worker, workers);
}

void fill(const Pattern& pattern, Rank self, std::byte* data, std::size_t count, unsigned workers) {
  with_type(pattern.type, [&](auto v) {
    auto* const typed = reinterpret_cast<decltype(v)*>(data);
    if (pattern.redop) return fill_by_shares(contributed(pattern, self), typed, count, workers);
    fill_by_shares(moved(pattern, self), typed, count, workers);
  });
}

template <class T, class Expected>
std::uint64_t count_by_shares(const Expected& expected, std::size_t first, const T* data, std::size_t count,
                              unsigned workers) {
  std::uint64_t wrong = 0;
  for (unsigned worker = 0; worker < workers; ++worker) {
    wrong += gpu::count_share(expected, first, data, count, worker, workers);
  }
  return wrong;
}

std::uint64_t count(const Pattern& pattern, std::optional<Rank> from, std::size_t first, const std::byte* data,
                    std::size_t elements, unsigned workers) {
  return with_type(pattern.type, [&](auto v) {
    using T = decltype(v);
    const auto* const typed = reinterpret_cast<const T*>(data);
    if (!from) {
      const auto table = accepted_answers<T>(pattern, first, std::min<std::size_t>(elements, element::period));
      return count_by_shares(element::Answers<T>{table.data()}, 0, typed, elements, workers);
    }
    return pattern.redop ? count_by_shares(contributed(pattern, *from), first, typed, elements, workers)
                         : count_by_shares(moved(pattern, *from), first, typed, elements, workers);
  });
}

template <class Visit>
void for_each_pattern(const Visit& visit) {
  for (const DataType type : all_datatypes()) {
    for (const int ranks : {1, 3, 40}) {
      visit(Pattern{type, std::nullopt, ranks, 0x123456789abcdefU});
      for (const RedOp redop : all_redops()) visit(Pattern{type, redop, ranks, 77});
    }
  }
}

TEST(GpuShares, FillWhatTheHostFills) {
  for_each_pattern([](const Pattern& pattern) {
    const Rank self{pattern.ranks - 1};
    for (const std::size_t elements : {0U, 1U, 7U, 16U, 1025U, 70'001U}) {
      std::vector<std::byte> right(elements * size_of(pattern.type));
      fill_input(pattern, self, right.data(), elements);
      for (const std::size_t shift : {0U, 1U, 5U}) {
        Stretch stretch(pattern.type, elements, shift);
        fill(pattern, self, stretch.data(), elements, 61);
        EXPECT_TRUE(stretch.holds(right)) << name(pattern.type) << ' ' << elements << ' ' << shift;
        EXPECT_TRUE(stretch.margin_is_whole()) << name(pattern.type) << ' ' << elements << ' ' << shift;
      }
    }
  });
}

TEST(GpuShares, CountWhatTheHostCounts) {
  for_each_pattern([](const Pattern& pattern) {
    const Rank self{0};
    for (const std::size_t elements : {1U, 13U, 3001U, 66'003U}) {
      for (const std::size_t shift : {0U, 3U}) {
        Stretch stretch(pattern.type, elements, shift);
        std::byte* const data = stretch.data();
        fill_input(pattern, self, data, elements);
        const auto agrees = [&](std::optional<Rank> from, std::size_t first) {
          EXPECT_EQ(count(pattern, from, first, data, elements, 37), count_wrong(pattern, from, first, data, elements))
              << name(pattern.type) << ' ' << elements << ' ' << first;
        };
        EXPECT_EQ(count(pattern, self, 0, data, elements, 37), 0U);
        data[0] ^= std::byte{1};
        data[elements * size_of(pattern.type) - 1] ^= std::byte{0x80};
        EXPECT_EQ(count(pattern, self, 0, data, elements, 37), elements == 1 ? 1U : 2U);
        for (const std::size_t first : {0U, 1U, 65'535U}) agrees(self, first);
        if (pattern.redop) {
          agrees(std::nullopt, 0);
          agrees(std::nullopt, 1000);
        }
      }
    }
  });
}

TEST(GpuShares, FindOneWrongElementOfAnAnswerAnywhere) {
  for (const DataType type : all_datatypes()) {
    constexpr std::size_t elements = 2100;  // more than two periods
    const Pattern pattern{type, RedOp::prod, 5, 12};
    Stretch stretch(type, elements, 1);
    std::vector<std::byte> input(elements * size_of(type));
    fill_input(pattern, Rank{0}, stretch.data(), elements);
    for (int rank = 1; rank < pattern.ranks; ++rank) {
      fill_input(pattern, Rank{rank}, input.data(), elements);
      reduce_into(type, RedOp::prod, stretch.data(), input.data(), elements);
    }
    EXPECT_EQ(count(pattern, std::nullopt, 0, stretch.data(), elements, 9), 0U) << name(type);
    for (std::size_t i = 0; i < elements; i += 7) {
      std::byte& top = stretch.data()[(i + 1) * size_of(type) - 1];
      top ^= std::byte{0x40};
      ASSERT_EQ(count(pattern, std::nullopt, 0, stretch.data(), elements, 9), 1U) << name(type) << ' ' << i;
      top ^= std::byte{0x40};
    }
  }
}

/// Far out, where 32 bits do not hold an index any more.
TEST(GpuShares, CursorsStandWhereCountingWouldLead) {
  const Pattern pattern{DataType::int32, RedOp::sum, 37, 5};
  const auto input = contributed(pattern, Rank{4});
  const std::uint64_t far = (std::uint64_t{1} << 40U) + 12'345;
  element::Contributed::Cursor walking(input, far - 2500);
  for (int i = 0; i < 2500; ++i) walking.next();
  const element::Contributed::Cursor standing(input, far);
  EXPECT_EQ(walking.place(), standing.place());
  EXPECT_EQ(walking.phase(), standing.phase());

  const auto bits = moved(Pattern{DataType::uint64, std::nullopt, 2, 5}, Rank{1});
  element::Moved::Cursor going(bits, far - 140'000);
  for (int i = 0; i < 140'000; ++i) going.next();
  EXPECT_EQ(going.value<std::uint64_t>(), element::Moved::Cursor(bits, far).value<std::uint64_t>());
}

}  // namespace
}  // namespace busbar
