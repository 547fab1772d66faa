// One GPU through the CUDA runtime.
#pragma once

#include <cuda_runtime_api.h>

#include <string_view>

#include "gpu/cuda/kernels.h"
#include "gpu/cuda/owned.h"
#include "gpu/nvml.h"
#include "gpu/platform.h"
#include "memory/element.h"

namespace busbar::gpu {

class CudaDevice final : public Device {
 public:
  /// @throws RuntimeError where there is no such GPU or it cannot be used.
  CudaDevice(int index, const Nvml& nvml);

  DeviceInfo info() const override;
  Health health() const override { return nvml_.health(); }

  std::byte* allocate(Bytes size) override;
  void free(std::byte* memory) noexcept override;
  void copy(std::byte* to, const std::byte* from, Bytes size) override;
  void copy_on(Stream stream, std::byte* to, const std::byte* from, Bytes size) override;
  void set(std::byte* memory, std::byte value, Bytes size) override;

  void fill_input(const Pattern& pattern, Rank self, std::byte* data, std::size_t count) override;
  std::uint64_t count_wrong(const Pattern& pattern, std::optional<Rank> from, std::size_t source_offset,
                            const std::byte* data, std::size_t count) override;

  Stream create_stream() override;
  void destroy(Stream stream) noexcept override;
  bool done(Stream stream) override;

  Event create_event() override;
  void destroy_event(Event event) noexcept override;
  void record(Event event, Stream stream) override;
  double elapsed_us(Event from, Event to) override;

  void begin_capture(Stream stream) override;
  Graph end_capture(Stream stream) override;
  void launch(Graph graph, Stream stream) override;
  void destroy_graph(Graph graph) noexcept override;

 private:
  /// Makes the GPU the thread's current one; the index, for members that need it made first.
  int select() const;
  void expect(cudaError_t error, std::string_view call,
              const std::source_location& where = std::source_location::current()) const {
    check(error, call, index_, where);
  }
  /// Until all that was started on this device's own stream is done. @throws RuntimeError with what failed there.
  void wait(std::string_view call, const std::source_location& where = std::source_location::current());
  Grid grid() const { return {multiprocessors_, own_.get()}; }
  void start_count(const Pattern& pattern, std::optional<Rank> from, std::size_t first, const std::byte* data,
                   std::size_t count);
  std::uint64_t* wrong() const { return reinterpret_cast<std::uint64_t*>(scratch_.data()); }
  std::byte* table() const { return scratch_.data() + table_offset; }

  static constexpr std::size_t table_offset = 256;
  static constexpr std::size_t table_bytes =
      std::size_t{element::period} * 2 * sizeof(std::uint64_t);  // the widest entries

  int index_;
  OwnedStream own_;      ///< of copies, fills and counts
  OwnedMemory scratch_;  ///< the number of wrong elements, then a table of answers
  int multiprocessors_ = 1;
  Nvml::Gpu nvml_;
};

}  // namespace busbar::gpu
