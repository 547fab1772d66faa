// A libnvidia-ml.so with one GPU, at 0000:3B:00.0. FAKE_NVML=silent refuses
// every figure, =broken does not start.
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

constexpr int success = 0;
constexpr int not_supported = 3;
constexpr int not_found = 6;
constexpr int unknown_error = 999;

bool is(std::string_view behaviour) {
  const char* const text = std::getenv("FAKE_NVML");
  return text != nullptr && behaviour == text;
}

int answer(unsigned* to, unsigned value) {
  if (is("silent")) return not_supported;
  *to = value;
  return success;
}

}  // namespace

#define NVML extern "C" __attribute__((visibility("default"))) int

NVML nvmlInit_v2() { return is("broken") ? unknown_error : success; }
NVML nvmlShutdown() { return success; }

NVML nvmlDeviceGetHandleByPciBusId_v2(const char* bus_id, void** handle) {
  static int gpu = 0;
  if (std::strcmp(bus_id, "0000:3B:00.0") != 0) return not_found;
  *handle = &gpu;
  return success;
}

NVML nvmlDeviceGetClockInfo(void*, int kind, unsigned* mhz) {
  return answer(mhz, kind == 1 ? 1410 : kind == 2 ? 1593 : 7);
}
NVML nvmlDeviceGetTemperature(void*, int sensor, unsigned* celsius) { return answer(celsius, sensor == 0 ? 63 : 7); }
NVML nvmlDeviceGetPowerUsage(void*, unsigned* milliwatts) { return answer(milliwatts, 251'500); }

NVML nvmlDeviceGetCurrentClocksEventReasons(void*, unsigned long long* bits) {
  if (is("silent")) return not_supported;
  *bits = 0x1 | 0x4 | 0x40;
  return success;
}
