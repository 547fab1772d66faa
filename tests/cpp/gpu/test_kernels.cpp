// Every kernel against the host's answer: all datatypes, odd counts, odd addresses.
#include <algorithm>

#include "fixture.h"
#include "memory/element.h"
#include "memory/pattern.h"
#include "memory/reduce.h"

namespace busbar {
namespace {

using Bytestring = std::vector<std::byte>;

template <class Visit>
void for_each_pattern(const Visit& visit) {
  for (const DataType type : all_datatypes()) {
    for (const int ranks : {1, 3, 40}) {
      visit(Pattern{type, std::nullopt, ranks, 0x123456789abcdefU});
      for (const RedOp redop : all_redops()) visit(Pattern{type, redop, ranks, 77});
    }
  }
}

std::string label(const Pattern& pattern, std::size_t count) {
  return std::string(name(pattern.type)) + ' ' + std::string(pattern.redop ? name(*pattern.redop) : "moved") + ", " +
         std::to_string(pattern.ranks) + " ranks, " + std::to_string(count) + " elements";
}

Bytestring input_of(const Pattern& pattern, int rank, std::size_t count) {
  Bytestring bytes(count * size_of(pattern.type));
  fill_input(pattern, Rank{rank}, bytes.data(), count);
  return bytes;
}

/// What a rank has to add: for premulsum its input times its scalar.
Bytestring contribution_of(const Pattern& pattern, int rank, std::size_t count) {
  Bytestring bytes = input_of(pattern, rank, count);
  if (pattern.redop != RedOp::premulsum) return bytes;
  with_type(pattern.type, [&](auto v) {
    using T = decltype(v);
    const std::vector<T> scalars(count, element::from_integer<T>(premultiplier(Rank{rank})));
    reduce_into(pattern.type, RedOp::prod, bytes.data(), reinterpret_cast<const std::byte*>(scalars.data()), count);
  });
  return bytes;
}

Bytestring answer_of(const Pattern& pattern, std::size_t count) {
  Bytestring answer = contribution_of(pattern, 0, count);
  for (int rank = 1; rank < pattern.ranks; ++rank) {
    reduce_into(pattern.type, *pattern.redop, answer.data(), contribution_of(pattern, rank, count).data(), count);
  }
  if (pattern.redop == RedOp::avg) average_in_place(pattern.type, answer.data(), count, pattern.ranks);
  return answer;
}

class Kernels : public GpuTest {};

TEST_F(Kernels, FillWhatTheHostFills) {
  for_each_pattern([this](const Pattern& pattern) {
    for (const std::size_t count : {0U, 1U, 3U, 17U, 1009U, 65'537U, 300'007U}) {
      const std::size_t shift = count % 2 * size_of(pattern.type);  // the odd ones do not start at a multiple of 16
      const std::size_t bytes = count * size_of(pattern.type);
      const OnGpu memory(*device_, bytes + 64);
      device_->set(memory.data(), poison_byte, Bytes{bytes + 64});
      device_->fill_input(pattern, Rank{pattern.ranks - 1}, memory.data() + shift, count);
      Bytestring right(bytes + 64, poison_byte);
      std::ranges::copy(input_of(pattern, pattern.ranks - 1, count),
                        right.begin() + static_cast<std::ptrdiff_t>(shift));
      EXPECT_TRUE(memory.read() == right) << label(pattern, count);
    }
  });
}

TEST_F(Kernels, CountWrongInputsAsTheHostDoes) {
  for_each_pattern([this](const Pattern& pattern) {
    for (const std::size_t count : {1U, 17U, 3001U, 131'075U}) {
      Bytestring bytes = input_of(pattern, 0, count + 1);
      const std::size_t size = size_of(pattern.type);
      OnGpu memory(*device_, bytes.size());
      memory.write(bytes);
      EXPECT_EQ(device_->count_wrong(pattern, Rank{0}, 1, memory.data() + size, count), 0U) << label(pattern, count);
      bytes[size] ^= std::byte{1};
      bytes.back() ^= std::byte{0x80};
      memory.write(bytes);
      for (const std::size_t offset : {1U, 2U, 65'536U}) {
        EXPECT_EQ(device_->count_wrong(pattern, Rank{0}, offset, memory.data() + size, count),
                  count_wrong(pattern, Rank{0}, offset, bytes.data() + size, count))
            << label(pattern, count) << " from " << offset;
      }
    }
  });
}

TEST_F(Kernels, CountWrongAnswersAsTheHostDoes) {
  for_each_pattern([this](const Pattern& pattern) {
    if (!pattern.redop) return;
    for (const std::size_t count : {1U, 17U, 1010U, 40'001U}) {
      const Bytestring answer = answer_of(pattern, count);
      OnGpu memory(*device_, answer.size());
      memory.write(answer);
      EXPECT_EQ(device_->count_wrong(pattern, std::nullopt, 0, memory.data(), count), 0U) << label(pattern, count);
      for (const std::size_t offset : {1U, 1008U, 1009U}) {
        EXPECT_EQ(device_->count_wrong(pattern, std::nullopt, offset, memory.data(), count),
                  count_wrong(pattern, std::nullopt, offset, answer.data(), count))
            << label(pattern, count) << " from " << offset;
      }
    }
  });
}

TEST_F(Kernels, OneWrongElementIsFoundAnywhere) {
  for (const DataType type : all_datatypes()) {
    constexpr std::size_t count = 100'003;
    const Pattern pattern{type, RedOp::sum, 5, 12};
    Bytestring answer = answer_of(pattern, count);
    OnGpu memory(*device_, answer.size());
    for (std::size_t i = 0; i < count; i += 9'091) {
      std::byte& top = answer[(i + 1) * size_of(type) - 1];
      top ^= std::byte{0x40};
      memory.write(answer);
      EXPECT_EQ(device_->count_wrong(pattern, std::nullopt, 0, memory.data(), count), 1U) << name(type) << ' ' << i;
      top ^= std::byte{0x40};
    }
  }
}

TEST_F(Kernels, PoisonIsNeverAnAnswer) {
  for_each_pattern([this](const Pattern& pattern) {
    if (!pattern.redop) return;
    constexpr std::size_t count = 20'011;
    const OnGpu memory(*device_, count * size_of(pattern.type));
    device_->set(memory.data(), poison_byte, Bytes{count * size_of(pattern.type)});
    EXPECT_EQ(device_->count_wrong(pattern, std::nullopt, 0, memory.data(), count), count) << label(pattern, count);
  });
}

TEST_F(Kernels, RefuseWhatHasNoAnswer) {
  const OnGpu memory(*device_, 16);
  EXPECT_THROW(device_->count_wrong({DataType::int8, std::nullopt, 2, 1}, std::nullopt, 0, memory.data(), 1),
               std::logic_error);
}

}  // namespace
}  // namespace busbar
