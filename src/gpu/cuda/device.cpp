#include "gpu/cuda/device.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

#include "core/error.h"
#include "memory/answers.h"

namespace busbar::gpu {
namespace {

cudaStream_t as_stream(Stream stream) { return static_cast<cudaStream_t>(stream); }
cudaEvent_t as_event(Event event) { return static_cast<cudaEvent_t>(event); }
cudaGraphExec_t as_graph(Graph graph) { return static_cast<cudaGraphExec_t>(graph); }

std::string bus_id_of(int gpu) {
  std::array<char, 32> text{};
  check(cudaDeviceGetPCIBusId(text.data(), static_cast<int>(text.size()), gpu), "cudaDeviceGetPCIBusId", gpu);
  return text.data();
}

/// As nvidia-smi writes it.
std::string uuid_text(const cudaUUID_t& uuid) {
  std::string text = "GPU-";
  for (std::size_t i = 0; i < sizeof(uuid.bytes); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", static_cast<unsigned char>(uuid.bytes[i]));
  }
  return text;
}

std::string free_memory() {
  std::size_t free = 0;
  std::size_t total = 0;
  if (cudaMemGetInfo(&free, &total) != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
    return "how much is free is unknown";
  }
  return fmt::format("{} of {} bytes are free", free, total);
}

}  // namespace

int CudaDevice::select() const {
  expect(cudaSetDevice(index_), "cudaSetDevice");
  return index_;
}

CudaDevice::CudaDevice(int index, const Nvml& nvml)
    : index_(index), own_(select()), scratch_(table_offset + table_bytes, index), nvml_(nvml.find(bus_id_of(index))) {
  expect(cudaDeviceGetAttribute(&multiprocessors_, cudaDevAttrMultiProcessorCount, index_), "cudaDeviceGetAttribute");
}

DeviceInfo CudaDevice::info() const {
  select();
  cudaDeviceProp properties{};
  expect(cudaGetDeviceProperties(&properties, index_), "cudaGetDeviceProperties");
  return {.index = index_,
          .name = properties.name,
          .uuid = uuid_text(properties.uuid),
          .pci_bus_id = bus_id_of(index_),
          .memory = Bytes{properties.totalGlobalMem},
          .multiprocessors = properties.multiProcessorCount,
          .compute_major = properties.major,
          .compute_minor = properties.minor};
}

void CudaDevice::wait(std::string_view call, const std::source_location& where) {
  check(cudaStreamSynchronize(own_.get()), call, index_, where);
}

// --- memory

std::byte* CudaDevice::allocate(Bytes size) {
  select();
  void* memory = nullptr;
  const cudaError_t error = cudaMalloc(&memory, std::max<std::size_t>(size.value, 1));
  if (error == cudaErrorMemoryAllocation) {
    static_cast<void>(cudaGetLastError());
    throw RuntimeError(fmt::format("{}; {} bytes were asked for and {}",
                                   sentence(error, "cudaMalloc", index_, std::source_location::current()), size.value,
                                   free_memory()));
  }
  expect(error, "cudaMalloc");
  return static_cast<std::byte*>(memory);
}

void CudaDevice::free(std::byte* memory) noexcept {
  static_cast<void>(cudaSetDevice(index_));
  static_cast<void>(cudaFree(memory));
}

void CudaDevice::copy(std::byte* to, const std::byte* from, Bytes size) {
  copy_on(own_.get(), to, from, size);
  wait("cudaMemcpyAsync");
}

void CudaDevice::copy_on(Stream stream, std::byte* to, const std::byte* from, Bytes size) {
  select();
  if (size.value == 0) return;
  expect(cudaMemcpyAsync(to, from, size.value, cudaMemcpyDefault, as_stream(stream)), "cudaMemcpyAsync");
}

void CudaDevice::set(std::byte* memory, std::byte value, Bytes size) {
  select();
  if (size.value == 0) return;
  expect(cudaMemsetAsync(memory, std::to_integer<int>(value), size.value, own_.get()), "cudaMemsetAsync");
  wait("cudaMemsetAsync");
}

// --- kernels

void CudaDevice::fill_input(const Pattern& pattern, Rank self, std::byte* data, std::size_t count) {
  select();
  expect(start_fill(grid(), pattern, self, data, count), "the start of kernel fill");
  wait("kernel fill");
}

std::uint64_t CudaDevice::count_wrong(const Pattern& pattern, std::optional<Rank> from, std::size_t source_offset,
                                      const std::byte* data, std::size_t count) {
  if (!from && !pattern.redop) throw std::logic_error("data that is only moved comes from a rank");
  select();
  expect(cudaMemsetAsync(wrong(), 0, sizeof(std::uint64_t), own_.get()), "cudaMemsetAsync");
  start_count(pattern, from, source_offset, data, count);
  std::uint64_t found = 0;
  expect(cudaMemcpyAsync(&found, wrong(), sizeof(found), cudaMemcpyDefault, own_.get()), "cudaMemcpyAsync");
  wait("kernel count_wrong");
  return found;
}

void CudaDevice::start_count(const Pattern& pattern, std::optional<Rank> from, std::size_t first, const std::byte* data,
                             std::size_t count) {
  if (from) {
    expect(start_count_input(grid(), pattern, *from, first, data, count, wrong()), "the start of kernel count_wrong");
    return;
  }
  with_type(pattern.type, [&](auto v) {
    const auto answers = accepted_answers<decltype(v)>(pattern, first, std::min<std::size_t>(count, element::period));
    static_assert(sizeof(answers.front()) * element::period <= table_bytes);
    copy(table(), reinterpret_cast<const std::byte*>(answers.data()), Bytes{answers.size() * sizeof(answers.front())});
  });
  expect(start_count_answers(grid(), pattern.type, table(), data, count, wrong()), "the start of kernel count_wrong");
}

// --- streams and events

Stream CudaDevice::create_stream() {
  select();
  return OwnedStream(index_).release();
}

void CudaDevice::destroy(Stream stream) noexcept {
  static_cast<void>(cudaSetDevice(index_));
  static_cast<void>(cudaStreamDestroy(as_stream(stream)));
}

bool CudaDevice::done(Stream stream) {
  select();
  const cudaError_t state = cudaStreamQuery(as_stream(stream));
  if (state == cudaErrorNotReady) {
    static_cast<void>(cudaGetLastError());
    return false;
  }
  expect(state, "cudaStreamQuery");
  return true;
}

Event CudaDevice::create_event() {
  select();
  cudaEvent_t event = nullptr;
  expect(cudaEventCreate(&event), "cudaEventCreate");
  return event;
}

void CudaDevice::destroy_event(Event event) noexcept {
  static_cast<void>(cudaSetDevice(index_));
  static_cast<void>(cudaEventDestroy(as_event(event)));
}

void CudaDevice::record(Event event, Stream stream) {
  select();
  expect(cudaEventRecord(as_event(event), as_stream(stream)), "cudaEventRecord");
}

double CudaDevice::elapsed_us(Event from, Event to) {
  select();
  float milliseconds = 0;
  expect(cudaEventElapsedTime(&milliseconds, as_event(from), as_event(to)), "cudaEventElapsedTime");
  return static_cast<double>(milliseconds) * 1000.0;
}

// --- graphs

void CudaDevice::begin_capture(Stream stream) {
  select();
  // Of this thread only: NCCL's own threads may allocate meanwhile.
  expect(cudaStreamBeginCapture(as_stream(stream), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
}

Graph CudaDevice::end_capture(Stream stream) {
  select();
  cudaGraph_t captured = nullptr;
  expect(cudaStreamEndCapture(as_stream(stream), &captured), "cudaStreamEndCapture");
  const OwnedGraph graph(captured);
  cudaGraphExec_t executable = nullptr;
  expect(cudaGraphInstantiate(&executable, graph.get(), 0), "cudaGraphInstantiate");
  return executable;
}

void CudaDevice::launch(Graph graph, Stream stream) {
  select();
  expect(cudaGraphLaunch(as_graph(graph), as_stream(stream)), "cudaGraphLaunch");
}

void CudaDevice::destroy_graph(Graph graph) noexcept {
  static_cast<void>(cudaSetDevice(index_));
  static_cast<void>(cudaGraphExecDestroy(as_graph(graph)));
}

}  // namespace busbar::gpu
