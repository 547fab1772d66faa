#ifdef BUSBAR_HAS_NCCL
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectives/registry.h"
#include "core/error.h"
#include "cpp/nccl/variable.h"
#include "transport/nccl/calls.h"
#include "transport/nccl/error.h"
#include "transport/nccl/types.h"

namespace busbar::nccl {
namespace {

using ::testing::HasSubstr;
using testing::Variable;

/// Why the fake, or another file, cannot be loaded; "" where it can.
std::string load_error(const char* version, const char* file = BUSBAR_NCCL_FAKE) {
  const Variable as_version("BUSBAR_FAKE_NCCL_VERSION", version);
  const Variable library("BUSBAR_NCCL_LIBRARY", file);
  try {
    Library::load();
  } catch (const UsageError& problem) {
    return problem.what();
  }
  return "";
}

TEST(NcclLibrary, AMissingFileIsOneSentence) {
  EXPECT_THAT(load_error(nullptr, "/nowhere/libnccl.so"), HasSubstr("'/nowhere/libnccl.so' cannot be loaded"));
  EXPECT_THAT(load_error(nullptr, "libm.so.6"), HasSubstr("it lacks ncclGetVersion"));
}

TEST(NcclLibrary, VersionsThatDoNotFitAreRefused) {
  EXPECT_EQ(load_error("21803"), "");
  EXPECT_THAT(load_error("21703"), HasSubstr("is NCCL 2.17.3, which is too old"));
  EXPECT_THAT(load_error("2708"), HasSubstr("is NCCL 2.7.8, which is too old"));
  EXPECT_THAT(load_error("30000"), HasSubstr("is NCCL 3.0.0 and this build knows NCCL 2."));
}

TEST(NcclLibrary, AnOlderOneHasNoNewerFunctions) {
  const Variable as_version("BUSBAR_FAKE_NCCL_VERSION", "21803");
  const Library old(BUSBAR_NCCL_FAKE);
  EXPECT_TRUE(old.fake());
  EXPECT_EQ(old.version().text(), "2.18.3");
  EXPECT_EQ(old.call().comm_register, nullptr);
  EXPECT_FALSE(old.has(2, 19));
  EXPECT_EQ(native_call(old.call(), "all_to_all"), nullptr);
  EXPECT_NE(native_call(old.call(), "all_reduce"), nullptr);
}

/// Why the fake, seeming to be of `version`, refuses the operation on the GPUs; "" where it does not.
std::string refusal(const char* version, ComputeCapability gpus, const char* operation, DataType type) {
  const Variable as_version("BUSBAR_FAKE_NCCL_VERSION", version);
  const Library library(BUSBAR_NCCL_FAKE);
  const OperationSpec spec{.collective = &find_collective(operation),
                           .shape = {.ranks = 2, .elements = 8},
                           .type = type,
                           .redop = std::nullopt};
  return datatype_refusal(library, gpus, spec).value_or("");
}

TEST(NcclLibrary, Float8NeedsAnNcclThatHasIt) {
  for (const DataType type : {DataType::float8_e4m3, DataType::float8_e5m2}) {
    EXPECT_THAT(refusal("22301", {9, 0}, "all_gather", type),
                HasSubstr(std::string{name(type)} +
                          " needs NCCL 2.24 or newer, in the build and at run time (which has 2.23.1)"));
  }
  EXPECT_EQ(refusal("21803", {8, 0}, "all_reduce", DataType::bfloat16), "");
}

#if BUSBAR_NCCL_HEADER_HAS(2, 28)
TEST(NcclLibrary, Float8NeedsGpusThatReduceIt) {
  for (const char* const reducing : {"all_reduce", "reduce", "reduce_scatter", "barrier"}) {
    EXPECT_EQ(refusal("22809", {9, 0}, reducing, DataType::float8_e4m3), "");
    EXPECT_EQ(refusal("22809", {12, 1}, reducing, DataType::float8_e5m2), "");
    EXPECT_THAT(refusal("22809", {8, 9}, reducing, DataType::float8_e4m3),
                HasSubstr(std::string{"has "} + reducing +
                          " of float8_e4m3 on GPUs of compute capability 9.0 or newer "
                          "alone and this launch has one of 8.9"));
  }
  for (const char* const moving : {"all_gather", "broadcast", "all_to_all"}) {
    EXPECT_EQ(refusal("22809", {8, 0}, moving, DataType::float8_e4m3), "");
  }
  // Before 2.28 NCCL's own calls refused it on older GPUs whatever they did, sends and receives never.
  EXPECT_THAT(refusal("22703", {8, 0}, "all_gather", DataType::float8_e4m3), HasSubstr("has one of 8.0"));
  EXPECT_EQ(refusal("22703", {8, 0}, "send_recv", DataType::float8_e4m3), "");
}
#endif

TEST(NcclLibrary, TheRealOneLoadsWhereItIs) {
  const Variable library("BUSBAR_NCCL_LIBRARY", nullptr);
  std::unique_ptr<Library> real;
  try {
    real = Library::load();
  } catch (const UsageError& problem) {
    GTEST_SKIP() << problem.what();
  }
  EXPECT_FALSE(real->fake());
  EXPECT_EQ(real->version().major, NCCL_MAJOR);
}

TEST(NcclError, HintsFollowNcclsOwnWords) {
  EXPECT_THAT(hint(ncclInvalidUsage, "Duplicate GPU detected : rank 0 and rank 1"), HasSubstr("NCCL_HOSTID"));
  EXPECT_THAT(hint(ncclUnhandledCudaError, "CUDA driver version is insufficient for CUDA runtime version"),
              HasSubstr("driver"));
  EXPECT_THAT(hint(ncclRemoteError, ""), HasSubstr("another rank"));
  EXPECT_THAT(hint(ncclSystemError, ""), HasSubstr("NCCL_DEBUG=WARN"));
}

}  // namespace
}  // namespace busbar::nccl
#endif
