// A GPU that is none: its memory is the host's, its streams do their work at once on the caller's thread, a graph is
// the list of what was put on the stream during the capture. It refuses what CUDA would refuse.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "gpu/platform.h"

namespace busbar::gpu::fake {

using Work = std::function<void()>;

struct FakeStream {
  bool capturing = false;
  std::vector<Work> captured;

  /// Does it, or keeps it.
  void put(Work work);
};

class FakeDevice final : public Device {
 public:
  explicit FakeDevice(int index) : index_(index) {}
  FakeDevice(const FakeDevice&) = delete;
  FakeDevice& operator=(const FakeDevice&) = delete;
  ~FakeDevice() override;

  DeviceInfo info() const override;
  Health health() const override;

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
  /// @throws RuntimeError as the real platform does.
  [[noreturn]] void refuse(const char* call, const std::string& why) const;

  int index_;
  std::map<std::byte*, std::uint64_t> sizes_;  ///< of the allocations
  std::uint64_t used_ = 0;
  int captures_ = 0;                        ///< under way: nothing may be allocated
  mutable std::uint64_t nvlink_bytes_ = 0;  ///< `health` moves it, though a look at a GPU changes nothing
};

}  // namespace busbar::gpu::fake
