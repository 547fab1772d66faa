// busbar-gpu-tests: tests that need a GPU. Exit code 77, with the reason, where there is none.
#include <gtest/gtest.h>

#include <cstdio>

#include "core/error.h"
#include "gpu/platform.h"

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  try {
    busbar::gpu::Platform& platform = busbar::gpu::platform_with_gpus();
    const auto info = platform.open(0)->info();
    std::printf("%s%s, %d multiprocessors, compute capability %d.%d\n", platform.fake() ? "not a GPU: " : "",
                info.name.c_str(), info.multiprocessors, info.compute_major, info.compute_minor);
  } catch (const busbar::UsageError& error) {
    std::printf("skipped: %s\n", error.what());
    return 77;
  }
  return RUN_ALL_TESTS();
}
