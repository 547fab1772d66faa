// The records of one communicator, counted where they are alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "plugins/profiler/names.h"

namespace busbar::plugins {

enum class Stage : std::uint8_t { called, enqueued };

/// One event, in NCCL's own words. Null and 0 where NCCL says nothing.
struct Event {
  Stage stage = Stage::enqueued;
  const char* function = nullptr;
  const char* datatype = nullptr;
  std::uint64_t count = 0;  ///< elements
  int root = 0;
  const char* algorithm = nullptr;
  const char* protocol = nullptr;
  std::uint8_t channels = 0;
  std::uint8_t warps = 0;
  std::optional<bool> captured = std::nullopt;
};

/// Events that were alike. An unknown name is "", an unknown number none.
struct Record {
  Stage stage = Stage::enqueued;
  std::string function;
  std::string datatype;
  std::uint64_t count = 0;
  std::optional<std::uint64_t> bytes;
  std::optional<int> root;  ///< none too where the function has no root
  std::string algorithm;
  std::string protocol;
  std::optional<int> channels;
  std::optional<int> warps;
  std::optional<bool> captured = std::nullopt;
  std::uint64_t times = 0;
};

/// Events come from the threads that enqueue and, for captured graphs and shared streams, from CUDA's callback thread:
/// one uncontended lock for each, no allocation. Holds 3584 different records in 160 KiB; events that would need
/// another one are counted as lost.
class RecordStore {
 public:
  RecordStore();
  void add(const Event& event) noexcept;
  /// All records, in no particular order.
  std::vector<Record> all() const;
  /// What came since the last `take`, `most` records at most; the rest stays for the next one.
  std::vector<Record> take(std::size_t most);
  std::uint64_t lost() const;

 private:
  struct Key {
    std::uint64_t count = 0;
    std::int32_t root = -1;
    std::uint8_t function = 0, datatype = 0, algorithm = 0, protocol = 0;
    std::uint8_t channels = 0, warps = 0;
    std::int8_t captured = -1;
    Stage stage = Stage::enqueued;
    std::uint32_t unused = 0;  // no padding: a key is hashed as three words
    bool operator==(const Key&) const = default;
  };
  struct Slot {
    Key key;
    std::uint64_t times = 0;  // 0: the slot is free
    std::uint64_t taken = 0;
  };

  Key key_of(const Event& event) noexcept;
  static std::size_t hash(const Key& key) noexcept;
  Record record(const Key& key, std::uint64_t times) const;

  mutable std::mutex mutex_;
  Names names_;
  std::vector<Slot> slots_;
  std::size_t used_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace busbar::plugins
