// Which GPU platform is loaded, and what a user reads where there is none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "gpu_platform.h"

namespace busbar {
namespace {

using ::testing::HasSubstr;

std::string refusal() {
  return sentence_of<UsageError>([] { gpu::load_platform(); });
}

TEST(GpuPlatform, IsWhatTheEnvironmentNames) {
  Environment environment;
  environment.set("BUSBAR_GPU_PLATFORM", BUSBAR_GPU_FAKE);
  gpu::Platform& platform = gpu::load_platform();
  EXPECT_TRUE(platform.fake());
  EXPECT_EQ(&platform, &gpu::load_platform());
}

TEST(GpuPlatform, SaysWhatItCannotLoad) {
  Environment environment;
  environment.set("BUSBAR_GPU_PLATFORM", "/nowhere/libgpu.so");
  EXPECT_THAT(refusal(), HasSubstr("cannot load the GPU platform '/nowhere/libgpu.so'"));
  environment.set("BUSBAR_GPU_PLATFORM", "");
  EXPECT_THAT(refusal(), HasSubstr("BUSBAR_GPU_PLATFORM is empty"));
  environment.set("BUSBAR_GPU_PLATFORM", BUSBAR_NVML_FAKE);  // a library, but another
  EXPECT_THAT(refusal(), HasSubstr("is no GPU platform: it lacks busbar_gpu_platform"));
}

TEST(GpuPlatform, MachinesWithoutGpusAreAUsersMistake) {
  Environment environment;
  environment.set("BUSBAR_GPU_PLATFORM", BUSBAR_GPU_FAKE);
  environment.set("BUSBAR_FAKE_GPUS", "0");
  EXPECT_THROW(gpu::load_platform().devices(), RuntimeError);
  EXPECT_EQ(sentence_of<UsageError>([] { gpu::platform_with_gpus(); }), "no GPU can be used: BUSBAR_FAKE_GPUS is 0");
  environment.set("BUSBAR_FAKE_GPUS", "2");
  EXPECT_EQ(gpu::platform_with_gpus().devices(), 2);
  EXPECT_THROW(gpu::load_platform().open(2), RuntimeError);
  EXPECT_THROW(gpu::load_platform().open(-1), RuntimeError);
}

#ifdef BUSBAR_CUDA_PLATFORM

TEST(CudaPlatform, LoadsWithoutADriverAndSaysSo) {
  Environment environment;
  environment.set("BUSBAR_GPU_PLATFORM", BUSBAR_CUDA_PLATFORM);
  gpu::Platform& platform = gpu::load_platform();
  EXPECT_FALSE(platform.fake());
  EXPECT_THAT(platform.runtime_version(), ::testing::MatchesRegex("1[0-9]\\.[0-9]+"));
  if (platform.driver_version()) GTEST_SKIP() << "this host has an NVIDIA driver";
  EXPECT_THAT(sentence_of<RuntimeError>([&] { platform.devices(); }),
              HasSubstr("no GPU can be used: there is no NVIDIA driver on this host"));
  EXPECT_THROW(platform.open(0), RuntimeError);
  EXPECT_THROW(gpu::platform_with_gpus(), UsageError);
}

TEST(CudaPlatform, LiesBesideTheProgram) {
  Environment environment;
  environment.unset("BUSBAR_GPU_PLATFORM");
  EXPECT_FALSE(gpu::load_platform().fake());
}

#else

TEST(CudaPlatform, LoadsWithoutADriverAndSaysSo) {
  GTEST_SKIP() << "this build has no CUDA platform: no nvcc, or sanitizers";
}

TEST(GpuPlatform, SaysThatTheBuildHasNone) {
  Environment environment;
  environment.unset("BUSBAR_GPU_PLATFORM");
  EXPECT_THAT(refusal(), HasSubstr("this build has no GPUs: libbusbar-cuda.so is not beside the program"));
}

#endif

}  // namespace
}  // namespace busbar
