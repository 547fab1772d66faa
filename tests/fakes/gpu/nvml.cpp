// A libnvidia-ml.so with one GPU, at 0000:3B:00.0. FAKE_NVML=silent refuses
// every figure, =broken does not start, =without_nvlink refuses NVLink's.
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "gpu/nvml_field.h"

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

// As drivers do it, the call succeeds and each field says whether it did. Throughput is of the links together only.
NVML nvmlDeviceGetFieldValues(void*, int count, busbar::gpu::NvmlField* fields) {
  constexpr unsigned unsigned_int = 1;
  constexpr unsigned unsigned_long_long = 3;
  if (is("silent")) return not_supported;
  for (int i = 0; i < count; ++i) {
    busbar::gpu::NvmlField& field = fields[i];
    field.error = is("without_nvlink") ? not_supported : success;
    field.type = unsigned_long_long;
    if (field.id == 138 && field.scope == ~0U) {
      field.value = 5'000'000'000;
    } else if (field.id == 139 && field.scope == ~0U) {
      field.value = 7;
    } else if (field.id == 38) {
      field.type = unsigned_int;
      field.value = 0xffff'ffff'0000'0003;  // the upper half is whatever was there
    } else if (field.id == 52) {
      field.type = 0;  // a double is no count
      field.value = 1;
    } else {
      field.error = not_supported;
    }
  }
  return success;
}
