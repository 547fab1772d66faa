// GPUs, as far as measuring with them goes. The real platform is a library of its own (libbusbar-cuda.so, built with
// nvcc and a static CUDA runtime), loaded only when someone asks for GPU memory, so that the engine runs where there is
// no driver. Tests load another one whose "GPU" is host memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/units.h"
#include "memory/pattern.h"

namespace busbar::gpu {

/// Handles that the platform gives out and takes back; cudaStream_t, cudaEvent_t, cudaGraphExec_t in the real one.
using Stream = void*;
using Event = void*;
using Graph = void*;

struct DeviceInfo {
  int index = 0;  ///< among the devices that this process sees
  std::string name;
  std::string uuid;
  std::string pci_bus_id;
  Bytes memory;
  int multiprocessors = 0;
  int compute_major = 0;
  int compute_minor = 0;
};

/// What all NVLinks of the GPU counted so far; absent where it has none or does not tell.
struct NvlinkCounters {
  std::optional<std::uint64_t> tx_bytes;  ///< of data, without what the protocol adds
  std::optional<std::uint64_t> rx_bytes;
  std::optional<std::uint64_t> crc_errors;  ///< damaged flits
  std::optional<std::uint64_t> replays;     ///< sent again
  std::optional<std::uint64_t> recoveries;  ///< links trained anew
};

/// What the GPU did around a point; absent where it cannot be asked.
struct Health {
  std::optional<unsigned> sm_clock_mhz;
  std::optional<unsigned> memory_clock_mhz;
  std::optional<unsigned> temperature_c;
  std::optional<double> power_w;
  /// Reasons that slow the clocks now, by NVML's names without their prefix; idle and application clocks are none.
  std::optional<std::vector<std::string>> throttle_reasons;
  NvlinkCounters nvlink{};
};

/// One GPU, used from one thread. Every call makes it the thread's current device. Calls that wait return when the GPU
/// is done; calls with a stream only start.
/// @throws RuntimeError with the call, the GPU, file and line, and the hint that helps, where the GPU refuses.
class Device {
 public:
  virtual ~Device() = default;
  virtual DeviceInfo info() const = 0;
  virtual Health health() const = 0;

  /// At least 512-byte aligned. @throws RuntimeError where memory runs out.
  virtual std::byte* allocate(Bytes size) = 0;
  virtual void free(std::byte* memory) noexcept = 0;
  /// Any direction between host and this GPU, and within it; waits.
  virtual void copy(std::byte* to, const std::byte* from, Bytes size) = 0;
  virtual void copy_on(Stream stream, std::byte* to, const std::byte* from, Bytes size) = 0;
  /// Every byte; waits.
  virtual void set(std::byte* memory, std::byte value, Bytes size) = 0;

  /// pattern.h's functions by kernels, on all elements; they wait.
  virtual void fill_input(const Pattern& pattern, Rank self, std::byte* data, std::size_t count) = 0;
  virtual std::uint64_t count_wrong(const Pattern& pattern, std::optional<Rank> from, std::size_t source_offset,
                                    const std::byte* data, std::size_t count) = 0;

  virtual Stream create_stream() = 0;
  virtual void destroy(Stream stream) noexcept = 0;
  /// Whether all that was started on the stream is done; does not wait.
  virtual bool done(Stream stream) = 0;

  virtual Event create_event() = 0;
  virtual void destroy_event(Event event) noexcept = 0;
  virtual void record(Event event, Stream stream) = 0;
  /// Between two recorded events that are both over.
  virtual double elapsed_us(Event from, Event to) = 0;

  /// What is started on the stream between the two calls is not carried out but kept.
  virtual void begin_capture(Stream stream) = 0;
  virtual Graph end_capture(Stream stream) = 0;
  virtual void launch(Graph graph, Stream stream) = 0;
  virtual void destroy_graph(Graph graph) noexcept = 0;
};

class Platform {
 public:
  virtual ~Platform() = default;
  /// Whether its GPUs are none: records made on it are marked, and judges refuse them.
  virtual bool fake() const = 0;
  /// Such as "13.0"; the driver's is absent where there is none.
  virtual std::string runtime_version() const = 0;
  virtual std::optional<std::string> driver_version() const = 0;
  /// At least one. @throws RuntimeError where there is no usable driver or no GPU, with what is missing.
  virtual int devices() const = 0;
  virtual std::unique_ptr<Device> open(int index) = 0;
};

/// What the library exports under the name "busbar_gpu_platform": never null, lives as long as the process.
using PlatformEntry = Platform* (*)();

/// Loads the platform's library: the one that the environment names in BUSBAR_GPU_PLATFORM, else libbusbar-cuda.so
/// beside this program. @throws UsageError in one sentence where there is none or it cannot be loaded.
Platform& load_platform();

/// The same, and it has a GPU: for a user who asked for one. @throws UsageError in one sentence where it has none.
Platform& platform_with_gpus();

}  // namespace busbar::gpu
