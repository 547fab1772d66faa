// Where an operation's buffers live. Host memory here; CUDA memory implements the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "core/units.h"
#include "memory/pattern.h"

namespace busbar {

/// Owns one allocation; freed on destruction.
class Allocation {
 public:
  virtual ~Allocation() = default;
  virtual std::byte* data() const = 0;
};

class MemorySpace {
 public:
  virtual ~MemorySpace() = default;
  virtual std::string_view name() const = 0;
  /// @throws RuntimeError where memory runs out; page-aligned, every page touched.
  virtual std::unique_ptr<Allocation> allocate(Bytes size) = 0;
  virtual void copy(std::byte* to, const std::byte* from, Bytes size) = 0;

  /// Writes rank `self`'s input elements 0…count.
  virtual void fill(std::byte* data, std::size_t count, const Pattern& pattern, Rank self) = 0;
  /// Writes what no operation may leave behind.
  virtual void poison(std::byte* data, Bytes size) = 0;
  /// How many of `count` elements differ from elements `source_offset`… of the input of `from`, or of the reduction of
  /// all inputs where there is no `from`.
  virtual std::uint64_t count_wrong(const std::byte* data, std::size_t count, const Pattern& pattern,
                                    std::optional<Rank> from, std::size_t source_offset) = 0;
};

}  // namespace busbar
