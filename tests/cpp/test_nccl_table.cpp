#ifdef BUSBAR_HAS_NCCL
#include <gtest/gtest.h>

#include "core/error.h"
#include "transport/nccl/table_in_force.h"

namespace busbar::nccl {
namespace {

class Tables : public ::testing::Test {
 protected:
  void enter(const TableHolders::Table& table) {
    holders_.enter(table, [&] { now_ = table.value_or("the launch's"); });
  }
  void leave() {
    holders_.leave([this] { now_ = "none"; });
  }

  TableHolders holders_;
  std::string now_ = "none";
};

TEST_F(Tables, TheFirstSetsItAndTheLastTakesItBack) {
  enter("ring");
  enter("ring");
  leave();
  EXPECT_EQ(now_, "ring");
  enter("ring");
  leave();
  leave();
  EXPECT_EQ(now_, "none");
  enter("tree");
  EXPECT_EQ(now_, "tree");
}

TEST_F(Tables, AnotherTableIsRefusedWhileOneIsInForce) {
  enter("ring");
  EXPECT_THROW(enter("tree"), RuntimeError);
  EXPECT_THROW(enter(std::nullopt), RuntimeError);  // no table is a choice as well
  EXPECT_EQ(now_, "ring");
  leave();
  EXPECT_EQ(now_, "none");
  enter(std::nullopt);
  EXPECT_EQ(now_, "the launch's");
  EXPECT_THROW(enter("ring"), RuntimeError);
}

TEST_F(Tables, WhoCouldNotSetItHoldsNothing) {
  EXPECT_THROW(holders_.enter("malformed", [] { throw RuntimeError("no"); }), RuntimeError);
  enter("ring");
  EXPECT_EQ(now_, "ring");
}

}  // namespace
}  // namespace busbar::nccl
#endif
