#include "gpu/nvml.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>

#include "gpu/nvml_field.h"

namespace busbar::gpu {
namespace {

// NVML's C interface (nvml.h): enumerations are ints, handles pointers, 0 is success.
constexpr int success = 0;
constexpr int clock_sm = 1;
constexpr int clock_memory = 2;
constexpr int sensor_gpu = 0;

using Start = int();
using Find = int(const char* pci_bus_id, void** handle);
using GetByKind = int(void* handle, int kind, unsigned* value);
using Get = int(void* handle, unsigned* value);
using GetBits = int(void* handle, unsigned long long* bits);

using GetFields = int(void* handle, int count, NvmlField* fields);

constexpr unsigned all_links = std::numeric_limits<unsigned>::max();
// NVML_FI_DEV_NVLINK_…: THROUGHPUT_DATA_TX and _RX in KiB, CRC_FLIT_, REPLAY_ and RECOVERY_ERROR_COUNT_TOTAL.
constexpr unsigned nvlink_tx = 138;
constexpr unsigned nvlink_rx = 139;
constexpr unsigned nvlink_crc_errors = 38;
constexpr unsigned nvlink_replays = 52;
constexpr unsigned nvlink_recoveries = 59;

struct Reason {
  std::uint64_t bit;
  std::string_view name;
};

constexpr std::uint64_t slow_nothing = 0x1 | 0x2;  // GpuIdle, ApplicationsClocksSetting
constexpr std::array reasons{Reason{0x4, "SwPowerCap"},           Reason{0x8, "HwSlowdown"},
                             Reason{0x10, "SyncBoost"},           Reason{0x20, "SwThermalSlowdown"},
                             Reason{0x40, "HwThermalSlowdown"},   Reason{0x80, "HwPowerBrakeSlowdown"},
                             Reason{0x100, "DisplayClockSetting"}};

}  // namespace

std::vector<std::string> throttle_reasons(std::uint64_t bits) {
  std::vector<std::string> names;
  bits &= ~slow_nothing;
  for (const Reason& reason : reasons) {
    if ((bits & reason.bit) != 0) names.emplace_back(reason.name);
    bits &= ~reason.bit;
  }
  if (bits != 0) names.push_back(fmt::format("{:#x}", bits));
  return names;
}

/// The loaded library and what of it is used; functions that it lacks are null.
class NvmlLibrary {
 public:
  explicit NvmlLibrary(void* loaded)
      : loaded_(loaded),
        stop_(function<Start>("nvmlShutdown")),
        find(function<Find>("nvmlDeviceGetHandleByPciBusId_v2")),
        clock(function<GetByKind>("nvmlDeviceGetClockInfo")),
        temperature(function<GetByKind>("nvmlDeviceGetTemperature")),
        power_mw(function<Get>("nvmlDeviceGetPowerUsage")),
        reasons(function<GetBits>("nvmlDeviceGetCurrentClocksEventReasons")),
        fields(function<GetFields>("nvmlDeviceGetFieldValues")) {
    if (reasons == nullptr) reasons = function<GetBits>("nvmlDeviceGetCurrentClocksThrottleReasons");
    auto* const start = function<Start>("nvmlInit_v2");
    started_ = start != nullptr && start() == success;
  }
  NvmlLibrary(const NvmlLibrary&) = delete;
  NvmlLibrary& operator=(const NvmlLibrary&) = delete;
  ~NvmlLibrary() {
    if (started_ && stop_ != nullptr) stop_();
    dlclose(loaded_);
  }
  bool started() const { return started_; }

 private:
  template <class F>
  F* function(const char* name) const {
    return reinterpret_cast<F*>(dlsym(loaded_, name));
  }

  void* loaded_;
  Start* stop_;
  bool started_ = false;

 public:
  Find* find;
  GetByKind* clock;
  GetByKind* temperature;
  Get* power_mw;
  GetBits* reasons;
  GetFields* fields;
};

namespace {

std::optional<unsigned> ask(GetByKind* function, void* handle, int kind) {
  unsigned value = 0;
  if (function == nullptr || function(handle, kind, &value) != success) return std::nullopt;
  return value;
}

/// A count, of the types that it may have; none for any other.
std::optional<std::uint64_t> count_of(const NvmlField& field) {
  constexpr unsigned unsigned_int = 1;
  constexpr unsigned unsigned_long = 2;
  constexpr unsigned unsigned_long_long = 3;
  if (field.error != success) return std::nullopt;
  if (field.type == unsigned_int) {
    unsigned value = 0;
    std::memcpy(&value, &field.value, sizeof value);
    return value;
  }
  if (field.type == unsigned_long || field.type == unsigned_long_long) return field.value;
  return std::nullopt;
}

NvlinkCounters ask_nvlink(GetFields* function, void* handle) {
  constexpr std::uint64_t kibibyte = 1024;
  std::array<NvmlField, 5> fields{NvmlField{.id = nvlink_tx, .scope = all_links},
                                  NvmlField{.id = nvlink_rx, .scope = all_links}, NvmlField{.id = nvlink_crc_errors},
                                  NvmlField{.id = nvlink_replays}, NvmlField{.id = nvlink_recoveries}};
  if (function == nullptr || function(handle, static_cast<int>(fields.size()), fields.data()) != success) return {};
  const auto bytes = [](std::optional<std::uint64_t> kibibytes) {
    return kibibytes ? std::optional{*kibibytes * kibibyte} : std::nullopt;
  };
  return {.tx_bytes = bytes(count_of(fields[0])),
          .rx_bytes = bytes(count_of(fields[1])),
          .crc_errors = count_of(fields[2]),
          .replays = count_of(fields[3]),
          .recoveries = count_of(fields[4])};
}

}  // namespace

Nvml::Nvml(const std::string& library) {
  void* const loaded = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (loaded == nullptr) return;
  auto nvml = std::make_shared<NvmlLibrary>(loaded);
  if (nvml->started()) library_ = std::move(nvml);
}

Nvml::Gpu Nvml::find(const std::string& pci_bus_id) const {
  Gpu gpu;
  if (!library_ || library_->find == nullptr) return gpu;
  if (library_->find(pci_bus_id.c_str(), &gpu.handle_) == success) gpu.library_ = library_;
  return gpu;
}

Health Nvml::Gpu::health() const {
  Health health;
  if (!library_) return health;
  health.sm_clock_mhz = ask(library_->clock, handle_, clock_sm);
  health.memory_clock_mhz = ask(library_->clock, handle_, clock_memory);
  health.temperature_c = ask(library_->temperature, handle_, sensor_gpu);
  unsigned milliwatts = 0;
  if (library_->power_mw != nullptr && library_->power_mw(handle_, &milliwatts) == success) {
    health.power_w = milliwatts / 1000.0;
  }
  unsigned long long bits = 0;
  if (library_->reasons != nullptr && library_->reasons(handle_, &bits) == success) {
    health.throttle_reasons = throttle_reasons(bits);
  }
  health.nvlink = ask_nvlink(library_->fields, handle_);
  return health;
}

}  // namespace busbar::gpu
