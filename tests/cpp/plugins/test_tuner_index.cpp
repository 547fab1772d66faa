// The arranged rows answer as the rule does: the first row that fits and is available.
#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <random>
#include <vector>

#include "plugins/abi/tuner.h"
#include "plugins/tuner/index.h"

namespace busbar::plugins {
namespace {

constexpr auto endless = std::numeric_limits<std::uint64_t>::max();

/// Small numbers of everything, so that rows overlap, repeat and compete.
class Rows {
 public:
  explicit Rows(std::uint32_t seed) : random_(seed) {}

  std::vector<Row> some(std::size_t most) {
    std::vector<Row> rows(random_() % (most + 1));
    for (Row& row : rows) row = one();
    return rows;
  }
  Question question() {
    Question question;
    question.function = static_cast<nccl_abi::Function>(pick(nccl_abi::tuned_functions));
    question.bytes = size();
    question.pipe_ops = pick(4);
    if (pick(3) != 0) question.registered = pick(2) == 0;
    return question;
  }
  std::array<float, 21> costs() {
    std::array<float, 21> costs{};
    for (float& cost : costs) cost = pick(3) == 0 ? nccl_abi::not_available : 5.0F;
    return costs;
  }

 private:
  int pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
  std::uint64_t size() {
    constexpr std::array<std::uint64_t, 4> ends = {0, 1, endless - 1, endless};
    return pick(8) == 0 ? ends[random_() % ends.size()] : random_() % 40;
  }
  Row one() {
    Row row;
    row.function = static_cast<nccl_abi::Function>(pick(nccl_abi::tuned_functions));
    row.min_bytes = size();
    row.max_bytes = size();
    if (row.max_bytes < row.min_bytes) std::swap(row.min_bytes, row.max_bytes);
    row.algorithm = static_cast<nccl_abi::Algorithm>(pick(3));
    row.protocol = static_cast<nccl_abi::Protocol>(pick(2));
    if (pick(3) == 0) row.pipe_ops = 1 + pick(3);
    if (pick(3) == 0) row.registered = pick(2) == 0;
    return row;
  }

  std::mt19937 random_;
};

TEST(TunerIndex, AnswersAsTheRule) {
  for (std::uint32_t seed = 0; seed < 3000; ++seed) {
    Rows made(seed);
    const std::vector<Row> rows = made.some(40);
    const Index index(rows);
    ASSERT_FALSE(index.walks());
    for (int i = 0; i < 30; ++i) {
      const Question question = made.question();
      auto table = made.costs();
      const Costs costs(table.data(), nccl_abi::algorithms, nccl_abi::protocols);
      const Decision rule = decide(rows, question, costs);
      const Decision fast = index.decide(question, costs);
      ASSERT_EQ(rule.row == nullptr, fast.row == nullptr) << "seed " << seed;
      if (rule.row != nullptr) {
        ASSERT_EQ(rule.row - rows.data(), fast.row - index.rows().data()) << "seed " << seed;
      }
      ASSERT_EQ(rule.unavailable > 0, fast.unavailable > 0) << "seed " << seed;
      ASSERT_LE(fast.unavailable, rule.unavailable) << "seed " << seed;
    }
  }
}

TEST(TunerIndex, HasNothingForFunctionsThatAreNotTuned) {
  Row row;
  row.max_bytes = endless;
  const Index index({row});
  std::array<float, 21> table{};
  const Costs costs(table.data(), nccl_abi::algorithms, nccl_abi::protocols);
  EXPECT_NE(index.decide({nccl_abi::broadcast, 8, 1, false}, costs).row, nullptr);
  for (const int function : {-1, 5, 1000}) {
    EXPECT_EQ(index.decide({static_cast<nccl_abi::Function>(function), 8, 1, false}, costs).row, nullptr) << function;
  }
}

// Every row has a condition of its own and all hold everywhere: the lists would be as long as the table, at every cut.
TEST(TunerIndex, WalksWhereListsWouldBeTooLong) {
  std::vector<Row> rows(2000);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].function = nccl_abi::all_reduce;
    rows[i].min_bytes = i;
    rows[i].max_bytes = endless;
    rows[i].pipe_ops = static_cast<int>(i) + 1;
  }
  const Index index(rows);
  EXPECT_TRUE(index.walks());
  std::array<float, 21> table{};
  const Costs costs(table.data(), nccl_abi::algorithms, nccl_abi::protocols);
  EXPECT_EQ(index.decide({nccl_abi::all_reduce, 1500, 1400, false}, costs).row, &index.rows()[1399]);
  EXPECT_EQ(index.decide({nccl_abi::all_reduce, 1300, 1400, false}, costs).row, nullptr);
}

TEST(TunerIndex, TheLargestTableIsArranged) {
  std::vector<Row> rows(200'000);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].function = nccl_abi::all_reduce;
    rows[i].min_bytes = 2 * i;
    rows[i].max_bytes = 2 * i;
  }
  const Index index(rows);
  EXPECT_FALSE(index.walks());
  std::array<float, 21> table{};
  const Costs costs(table.data(), nccl_abi::algorithms, nccl_abi::protocols);
  EXPECT_EQ(index.decide({nccl_abi::all_reduce, 300'000, 1, false}, costs).row, &index.rows()[150'000]);
  EXPECT_EQ(index.decide({nccl_abi::all_reduce, 300'001, 1, false}, costs).row, nullptr);
}

}  // namespace
}  // namespace busbar::plugins
