// What goes wrong inside NCCL, as a user would see it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "bench/workload.h"
#include "collectives/registry.h"
#include "core/error.h"
#include "nccl/variable.h"
#include "nccl/world.h"

namespace busbar::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

OperationSpec all_reduce() {
  return {.collective = &find_collective("all_reduce"),
          .shape = {.ranks = process().world.workers(), .elements = 300},
          .type = DataType::float32,
          .redop = RedOp::sum};
}

/// One execution; the words of what it throws, "" where it throws nothing.
std::string run_once(Workload& workload) {
  try {
    workload.operation().enqueue(0);
    workload.operation().complete();
  } catch (const RuntimeError& problem) {
    return problem.what();
  }
  return "";
}

TEST(Faults, AWrongElementIsFoundOnTheRankThatHasIt) {
  const auto channel = process().transport->open(process().all(), {});
  Workload workload(*channel, process().memory, all_reduce(), Rank{process().rank()}, 3);
  const Variable fault("BUSBAR_FAKE_NCCL_FAULT", "wrong:1");
  EXPECT_EQ(run_once(workload), "");
  EXPECT_EQ(workload.verify(0).wrong, process().rank() == 1 ? 1U : 0U);
}

TEST(Faults, AnAsynchronousErrorNamesHostRankAndGpu) {
  const auto channel = process().transport->open(process().all(), {});
  Workload workload(*channel, process().memory, all_reduce(), Rank{process().rank()}, 3);
  const Variable fault("BUSBAR_FAKE_NCCL_FAULT", "async:2");
  const std::string said = run_once(workload);
  if (process().rank() != 2) {
    EXPECT_EQ(said, "");
  } else {
    EXPECT_THAT(said, AllOf(HasSubstr("operation in flight failed on "), HasSubstr("rank 2, GPU 2 (0000:03:00.0)"),
                            HasSubstr("connection to a peer was lost"), HasSubstr("another rank failed first")));
  }
}

TEST(Faults, ACommunicatorThatCannotBeMadeSaysWhatHelps) {
  const auto open_with = [](const char* fault) -> std::string {
    const Variable variable("BUSBAR_FAKE_NCCL_FAULT", fault);
    try {
      process().transport->open(process().all(), {});
    } catch (const RuntimeError& problem) {
      return problem.what();
    }
    return "";
  };
  EXPECT_THAT(open_with("duplicate"), AllOf(HasSubstr("ncclCommInitRankConfig failed on "),
                                            HasSubstr("Duplicate GPU detected"), HasSubstr("NCCL_HOSTID")));
  EXPECT_THAT(open_with("oom"), AllOf(HasSubstr("out of memory"), HasSubstr("NCCL_BUFFSIZE")));
}

TEST(Faults, MemoryThatRunsOutIsSaid) {
  const auto memory = process().transport->symmetric_memory(process().memory);
  const Variable fault("BUSBAR_FAKE_NCCL_FAULT", "oom");
  EXPECT_THROW(memory->allocate(Bytes{1 << 20}), RuntimeError);
}

TEST(Faults, TheFakeSaysThatItIsOne) {
  EXPECT_TRUE(process().transport->fake());
  EXPECT_EQ(process().transport->library_version(), "2.28.9");
}

}  // namespace
}  // namespace busbar::testing
