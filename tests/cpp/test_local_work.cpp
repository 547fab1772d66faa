// The local part of schedules: what is done, and what is charged for it where computing takes no time by itself.
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "transport/local_work.h"

namespace busbar {
namespace {

class Bill final : public ReductionCost {
 public:
  void charge(Bytes operand) const override { charged.push_back(operand.value); }
  mutable std::vector<std::uint64_t> charged;
};

/// Adds, copies and divides four numbers, and returns what is left of them.
std::array<std::int32_t, 4> work(const ReductionCost* cost, bool payload) {
  std::array<std::int32_t, 4> input{1, 2, 3, 4};
  std::array<std::int32_t, 4> result{10, 20, 30, 40};
  auto* const in = reinterpret_cast<std::byte*>(input.data());
  const Buffers buffers{{in, in}, reinterpret_cast<std::byte*>(result.data()), nullptr};
  OperationSpec spec;
  spec.shape = {.ranks = 2, .elements = 4};
  spec.type = DataType::int32;
  spec.redop = RedOp::sum;
  spec.payload = payload;
  const LocalWorker worker(spec, buffers, cost);
  using enum LocalWork::Kind;
  worker.run({reduce, {BufferId::send, 0, 3}, {BufferId::recv, 0, 3}}, 0);
  worker.run({copy, {BufferId::send, 3, 1}, {BufferId::recv, 3, 1}}, 1);
  worker.run({average, {}, {BufferId::recv, 1, 1}}, 0);
  return result;
}

constexpr std::array<std::int32_t, 4> done{11, 11, 33, 4};

TEST(LocalWorker, ChargesForReductionsAlone) {
  const Bill bill;
  EXPECT_EQ(work(&bill, true), done);
  EXPECT_EQ(bill.charged, (std::vector<std::uint64_t>{12}));
}

TEST(LocalWorker, DoesTheSameAtNoCost) { EXPECT_EQ(work(nullptr, true), done); }

TEST(LocalWorker, LeavesMemoryAloneWithoutPayloadAndChargesAllTheSame) {
  constexpr std::array<std::int32_t, 4> untouched{10, 20, 30, 40};
  const Bill bill;
  EXPECT_EQ(work(&bill, false), untouched);
  EXPECT_EQ(bill.charged, (std::vector<std::uint64_t>{12}));
  EXPECT_EQ(work(nullptr, false), untouched);
}

}  // namespace
}  // namespace busbar
