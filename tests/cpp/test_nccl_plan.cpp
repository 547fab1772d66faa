#ifdef BUSBAR_HAS_NCCL
#include <gtest/gtest.h>

#include "collectives/registry.h"
#include "core/error.h"
#include "transport/nccl/plan.h"

namespace busbar::nccl {
namespace {

constexpr int ranks = 4;

Plan plan(std::string_view operation, int self) {
  return plan_of(find_collective(operation).schedule({.ranks = ranks, .elements = 64}, Rank{self}));
}

int groups(const Plan& p) {
  int n = 0;
  for (const Stage& s : p) n += s.sends.empty() && s.receives.empty() ? 0 : 1;
  return n;
}

TEST(NcclPlan, AnAllToAllIsOneGroup) {
  for (int self = 0; self < ranks; ++self) {
    for (const std::string_view operation : {"all_to_all", "all_to_allv"}) {
      const Plan p = plan(operation, self);
      EXPECT_EQ(groups(p), 1) << operation;
      EXPECT_EQ(p.back().sends.size(), 3U) << operation;
      EXPECT_EQ(p.back().receives.size(), 3U) << operation;
    }
  }
}

TEST(NcclPlan, StepsThatWaitForDataStayApart) {
  EXPECT_EQ(groups(plan("all_gather", 0)), ranks - 1);
  EXPECT_EQ(groups(plan("ping_pong", 0)), 2);
  EXPECT_EQ(groups(plan("barrier", 0)), 2);
}

TEST(NcclPlan, NothingIsNothing) { EXPECT_TRUE(plan("null", 0).empty()); }

TEST(NcclPlan, ReducingSchedulesAreRefused) { EXPECT_THROW(plan("all_reduce", 0), UsageError); }

}  // namespace
}  // namespace busbar::nccl
#endif
