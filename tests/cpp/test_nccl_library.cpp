#ifdef BUSBAR_HAS_NCCL
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "cpp/nccl/variable.h"
#include "transport/nccl/calls.h"
#include "transport/nccl/error.h"

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
