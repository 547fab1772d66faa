// What is read of a GPU's state through a fake libnvidia-ml.so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gpu/nvml.h"
#include "gpu_platform.h"

namespace busbar {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* bus_id = "0000:3B:00.0";

void expect_nothing(const gpu::Health& health) {
  EXPECT_FALSE(health.sm_clock_mhz || health.memory_clock_mhz || health.temperature_c || health.power_w ||
               health.throttle_reasons);
  const gpu::NvlinkCounters& nvlink = health.nvlink;
  EXPECT_FALSE(nvlink.tx_bytes || nvlink.rx_bytes || nvlink.crc_errors || nvlink.replays || nvlink.recoveries);
}

TEST(Nvml, ReadsClocksTemperaturePowerAndReasons) {
  Environment environment;
  environment.unset("FAKE_NVML");
  const gpu::Health health = gpu::Nvml(BUSBAR_NVML_FAKE).find(bus_id).health();  // the GPU outlives the library
  EXPECT_EQ(health.sm_clock_mhz, 1410U);
  EXPECT_EQ(health.memory_clock_mhz, 1593U);
  EXPECT_EQ(health.temperature_c, 63U);
  EXPECT_DOUBLE_EQ(health.power_w.value(), 251.5);
  EXPECT_THAT(*health.throttle_reasons, ElementsAre("SwPowerCap", "HwThermalSlowdown"));
}

TEST(Nvml, ReadsNvlinkCounters) {
  Environment environment;
  environment.unset("FAKE_NVML");
  const gpu::Nvml::Gpu gpu = gpu::Nvml(BUSBAR_NVML_FAKE).find(bus_id);
  const gpu::NvlinkCounters nvlink = gpu.health().nvlink;
  EXPECT_EQ(nvlink.tx_bytes, 5'120'000'000'000U);  // they count in KiB
  EXPECT_EQ(nvlink.rx_bytes, 7'168U);
  EXPECT_EQ(nvlink.crc_errors, 3U);
  EXPECT_FALSE(nvlink.replays);     // told as a double
  EXPECT_FALSE(nvlink.recoveries);  // not supported
  environment.set("FAKE_NVML", "without_nvlink");
  EXPECT_FALSE(gpu.health().nvlink.tx_bytes);
  EXPECT_EQ(gpu.health().sm_clock_mhz, 1410U);
}

TEST(Nvml, WhatItDoesNotTellIsAbsent) {
  Environment environment;
  environment.unset("FAKE_NVML");
  expect_nothing(gpu::Nvml("libno-such-nvml.so").find(bus_id).health());
  expect_nothing(gpu::Nvml(BUSBAR_NVML_FAKE).find("0000:99:00.0").health());
  expect_nothing(gpu::Nvml(BUSBAR_GPU_FAKE).find(bus_id).health());  // a library without NVML's functions
  for (const char* const behaviour : {"silent", "broken"}) {
    environment.set("FAKE_NVML", behaviour);
    expect_nothing(gpu::Nvml(BUSBAR_NVML_FAKE).find(bus_id).health());
  }
}

TEST(Nvml, OnlyWhatSlowsIsAReason) {
  EXPECT_THAT(gpu::throttle_reasons(0), IsEmpty());
  EXPECT_THAT(gpu::throttle_reasons(0x3), IsEmpty());
  EXPECT_THAT(gpu::throttle_reasons(0x1fc),
              ElementsAre("SwPowerCap", "HwSlowdown", "SyncBoost", "SwThermalSlowdown", "HwThermalSlowdown",
                          "HwPowerBrakeSlowdown", "DisplayClockSetting"));
  EXPECT_THAT(gpu::throttle_reasons(0x8000'0000'0000'0004), ElementsAre("SwPowerCap", "0x8000000000000000"));
}

}  // namespace
}  // namespace busbar
