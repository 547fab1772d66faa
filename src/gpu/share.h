// What one worker of a kernel does, as functions that host and device code share: a thread on a GPU, a loop in a test.
// Worker w of W takes the 16-byte chunks w, w + W, w + 2W, … of the memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "memory/element.h"

namespace busbar::gpu {

inline constexpr std::size_t chunk_bytes = 16;  // the widest load and store that a GPU has
template <class T>
inline constexpr std::uint64_t per_chunk = chunk_bytes / sizeof(T);

/// `count` elements from `data` on, cut at the multiples of 16 bytes. The first chunk and the last may not be whole.
/// `data` must be aligned for the type.
template <class T>
struct Chunks {
  std::uint64_t missing;  ///< elements of the first chunk that lie before `data`
  std::uint64_t count;

  BUSBAR_HOST_DEVICE Chunks(const T* data, std::uint64_t elements)
      : missing(reinterpret_cast<std::uintptr_t>(data) % chunk_bytes / sizeof(T)), count(elements) {}
  BUSBAR_HOST_DEVICE std::uint64_t size() const { return (missing + count + per_chunk<T> - 1) / per_chunk<T>; }
  BUSBAR_HOST_DEVICE std::uint64_t begin(std::uint64_t chunk) const {
    return chunk == 0 ? 0 : chunk * per_chunk<T> - missing;
  }
  BUSBAR_HOST_DEVICE std::uint64_t end(std::uint64_t chunk) const {
    const std::uint64_t end = (chunk + 1) * per_chunk<T> - missing;
    return end < count ? end : count;
  }
};

/// Sixteen bytes that travel at once.
template <class T>
struct alignas(chunk_bytes) Chunk {
  T values[per_chunk<T>];
};

/// Writes this worker's share of input elements 0 … count−1.
template <class T, class Input>
BUSBAR_HOST_DEVICE void fill_share(const Input& input, T* data, std::uint64_t count, std::uint64_t worker,
                                   std::uint64_t workers) {
  const Chunks<T> chunks(data, count);
  for (std::uint64_t chunk = worker; chunk < chunks.size(); chunk += workers) {
    const std::uint64_t begin = chunks.begin(chunk);
    const std::uint64_t end = chunks.end(chunk);
    typename Input::Cursor cursor(input, begin);
    if (end - begin < per_chunk<T>) {
      for (std::uint64_t i = begin; i < end; ++i, cursor.next()) data[i] = cursor.template value<T>();
      continue;
    }
    Chunk<T> values;
    for (std::size_t k = 0; k < per_chunk<T>; ++k, cursor.next()) values.values[k] = cursor.template value<T>();
    *reinterpret_cast<Chunk<T>*>(data + begin) = values;
  }
}

/// How many of this worker's share of `count` elements are wrong, `data[0]` being element `first` of what is expected.
template <class T, class Expected>
BUSBAR_HOST_DEVICE std::uint64_t count_share(const Expected& expected, std::uint64_t first, const T* data,
                                             std::uint64_t count, std::uint64_t worker, std::uint64_t workers) {
  const Chunks<T> chunks(data, count);
  std::uint64_t wrong = 0;
  for (std::uint64_t chunk = worker; chunk < chunks.size(); chunk += workers) {
    const std::uint64_t begin = chunks.begin(chunk);
    const std::uint64_t end = chunks.end(chunk);
    typename Expected::Cursor cursor(expected, first + begin);
    if (end - begin < per_chunk<T>) {
      for (std::uint64_t i = begin; i < end; ++i, cursor.next()) wrong += cursor.wrong(data[i]) ? 1U : 0U;
      continue;
    }
    const Chunk<T> found = *reinterpret_cast<const Chunk<T>*>(data + begin);
    for (std::size_t k = 0; k < per_chunk<T>; ++k, cursor.next()) wrong += cursor.wrong(found.values[k]) ? 1U : 0U;
  }
  return wrong;
}

}  // namespace busbar::gpu
