// What CUDA gives out, freed on destruction.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>

#include "gpu/cuda/error.h"

namespace busbar::gpu {

/// A stream that waits for no other.
class OwnedStream {
 public:
  explicit OwnedStream(int gpu) {
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags", gpu);
  }
  OwnedStream(const OwnedStream&) = delete;
  OwnedStream& operator=(const OwnedStream&) = delete;
  ~OwnedStream() {
    if (stream_ != nullptr) cudaStreamDestroy(stream_);
  }
  cudaStream_t get() const { return stream_; }
  /// Gives it to the caller.
  cudaStream_t release() {
    cudaStream_t const stream = stream_;
    stream_ = nullptr;
    return stream;
  }

 private:
  cudaStream_t stream_ = nullptr;
};

/// Memory of the current GPU.
class OwnedMemory {
 public:
  OwnedMemory(std::size_t size, int gpu) { check(cudaMalloc(&data_, size), "cudaMalloc", gpu); }
  OwnedMemory(const OwnedMemory&) = delete;
  OwnedMemory& operator=(const OwnedMemory&) = delete;
  ~OwnedMemory() { cudaFree(data_); }
  std::byte* data() const { return static_cast<std::byte*>(data_); }

 private:
  void* data_ = nullptr;
};

/// What was captured, before it is made executable.
class OwnedGraph {
 public:
  explicit OwnedGraph(cudaGraph_t graph) : graph_(graph) {}
  OwnedGraph(const OwnedGraph&) = delete;
  OwnedGraph& operator=(const OwnedGraph&) = delete;
  ~OwnedGraph() {
    if (graph_ != nullptr) cudaGraphDestroy(graph_);
  }
  cudaGraph_t get() const { return graph_; }

 private:
  cudaGraph_t graph_;
};

}  // namespace busbar::gpu
