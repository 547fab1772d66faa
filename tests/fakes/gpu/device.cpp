#include "fakes/gpu/device.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "fakes/gpu/settings.h"

namespace busbar::gpu::fake {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t alignment = 512;

struct FakeEvent {
  std::optional<Clock::time_point> time;  ///< none: not recorded, or recorded into a graph
};

using FakeGraph = std::vector<Work>;

FakeStream& stream_of(Stream stream) { return *static_cast<FakeStream*>(stream); }
FakeEvent& event_of(Event event) { return *static_cast<FakeEvent*>(event); }

}  // namespace

void FakeStream::put(Work work) {
  if (capturing) {
    captured.push_back(std::move(work));
  } else {
    work();
  }
}

void FakeDevice::refuse(const char* call, const std::string& why) const {
  throw RuntimeError(fmt::format("{} failed on fake GPU {}: {}", call, index_, why));
}

FakeDevice::~FakeDevice() {
  for (const auto& [memory, size] : sizes_) std::free(memory);
}

DeviceInfo FakeDevice::info() const {
  return {.index = index_,
          .name = "fake GPU",
          .uuid = fmt::format("GPU-fa4e0000-0000-0000-0000-{:012x}", index_),
          .pci_bus_id = fmt::format("0000:{:02x}:00.0", index_ + 1),
          .memory = Bytes{memory_bytes()},
          .multiprocessors = 132,
          .compute_major = compute_capability() / 10,
          .compute_minor = compute_capability() % 10};
}

Health FakeDevice::health() const {
  const auto reasons = throttle_reasons();
  NvlinkCounters nvlink;
  if (nvlink_bytes() > 0) {
    nvlink_bytes_ += nvlink_bytes();
    nvlink = {.tx_bytes = nvlink_bytes_, .rx_bytes = nvlink_bytes_, .crc_errors = 0, .replays = 0, .recoveries = {}};
  }
  return {.sm_clock_mhz = reasons.empty() ? 1980U : 990U,
          .memory_clock_mhz = 2619U,
          .temperature_c = 41U,
          .power_w = 310.5,
          .throttle_reasons = reasons,
          .nvlink = nvlink};
}

std::byte* FakeDevice::allocate(Bytes size) {
  if (captures_ > 0) refuse("allocate", "a stream is being captured");
  const std::uint64_t total = memory_bytes();
  const std::uint64_t free = total - std::min(total, used_);
  if (size.value > free) {
    refuse("allocate",
           fmt::format("out of memory; {} bytes were asked for and {} of {} bytes are free", size.value, free, total));
  }
  const std::uint64_t whole = (size.value / alignment + 1) * alignment;
  auto* const memory = static_cast<std::byte*>(std::aligned_alloc(alignment, whole));
  if (memory == nullptr) refuse("allocate", fmt::format("the host has no {} bytes", whole));
  sizes_[memory] = size.value;
  used_ += size.value;
  return memory;
}

void FakeDevice::free(std::byte* memory) noexcept {
  const auto found = sizes_.find(memory);
  if (found == sizes_.end()) std::abort();  // not from here, or freed twice
  used_ -= found->second;
  sizes_.erase(found);
  std::free(memory);
}

void FakeDevice::copy(std::byte* to, const std::byte* from, Bytes size) {
  if (size.value > 0) std::memmove(to, from, size.value);
}

void FakeDevice::copy_on(Stream stream, std::byte* to, const std::byte* from, Bytes size) {
  stream_of(stream).put([this, to, from, size] { copy(to, from, size); });
}

void FakeDevice::set(std::byte* memory, std::byte value, Bytes size) {
  if (size.value > 0) std::memset(memory, std::to_integer<int>(value), size.value);
}

void FakeDevice::fill_input(const Pattern& pattern, Rank self, std::byte* data, std::size_t count) {
  busbar::fill_input(pattern, self, data, count);
}

std::uint64_t FakeDevice::count_wrong(const Pattern& pattern, std::optional<Rank> from, std::size_t source_offset,
                                      const std::byte* data, std::size_t count) {
  return busbar::count_wrong(pattern, from, source_offset, data, count);
}

Stream FakeDevice::create_stream() { return new FakeStream; }
void FakeDevice::destroy(Stream stream) noexcept { delete &stream_of(stream); }

bool FakeDevice::done(Stream stream) {
  if (stream_of(stream).capturing) refuse("done", "the stream is being captured");
  return true;
}

Event FakeDevice::create_event() { return new FakeEvent; }
void FakeDevice::destroy_event(Event event) noexcept { delete &event_of(event); }

void FakeDevice::record(Event event, Stream stream) {
  event_of(event).time = stream_of(stream).capturing ? std::nullopt : std::optional(Clock::now());
}

double FakeDevice::elapsed_us(Event from, Event to) {
  const auto& start = event_of(from).time;
  const auto& end = event_of(to).time;
  if (!start || !end) refuse("elapsed_us", "an event was not recorded, or was recorded into a graph");
  return std::chrono::duration<double, std::micro>(*end - *start).count();
}

void FakeDevice::begin_capture(Stream stream) {
  FakeStream& s = stream_of(stream);
  if (s.capturing) refuse("begin_capture", "the stream is being captured");
  s.capturing = true;
  ++captures_;
}

Graph FakeDevice::end_capture(Stream stream) {
  FakeStream& s = stream_of(stream);
  if (!s.capturing) refuse("end_capture", "the stream is not being captured");
  s.capturing = false;
  --captures_;
  return new FakeGraph(std::exchange(s.captured, {}));
}

void FakeDevice::launch(Graph graph, Stream stream) {
  FakeStream& s = stream_of(stream);
  if (s.capturing) refuse("launch", "the stream is being captured");
  for (const Work& work : *static_cast<FakeGraph*>(graph)) work();
}

void FakeDevice::destroy_graph(Graph graph) noexcept { delete static_cast<FakeGraph*>(graph); }

}  // namespace busbar::gpu::fake
