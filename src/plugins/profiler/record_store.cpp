#include "plugins/profiler/record_store.h"

#include <array>
#include <bit>

namespace busbar::plugins {
namespace {

constexpr std::size_t slot_count = 4096;               // a power of two
constexpr std::size_t most_used = slot_count / 8 * 7;  // so that a search for what is not there ends soon

std::optional<int> known(std::uint8_t number) { return number == 0 ? std::nullopt : std::optional<int>(number); }

}  // namespace

RecordStore::RecordStore() : slots_(slot_count) {}

void RecordStore::add(const Event& event) noexcept {
  const std::lock_guard lock(mutex_);
  const Key key = key_of(event);
  for (std::size_t at = hash(key) % slot_count;; at = (at + 1) % slot_count) {
    Slot& slot = slots_[at];
    if (slot.times == 0) {
      if (used_ == most_used) {
        ++lost_;
        return;
      }
      ++used_;
      slot.key = key;
    }
    if (slot.key == key) {
      ++slot.times;
      return;
    }
  }
}

std::vector<Record> RecordStore::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<Record> records;
  records.reserve(used_);
  for (const Slot& slot : slots_) {
    if (slot.times > 0) records.push_back(record(slot.key, slot.times));
  }
  return records;
}

std::vector<Record> RecordStore::take(std::size_t most) {
  const std::lock_guard lock(mutex_);
  std::vector<Record> records;
  for (Slot& slot : slots_) {
    if (records.size() == most) break;
    if (slot.times == slot.taken) continue;
    records.push_back(record(slot.key, slot.times - slot.taken));
    slot.taken = slot.times;
  }
  return records;
}

std::uint64_t RecordStore::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

RecordStore::Key RecordStore::key_of(const Event& event) noexcept {
  Key key;
  key.stage = event.stage;
  key.function = names_.number(event.function);
  key.datatype = names_.number(event.datatype);
  key.count = event.count;
  if (has_root(names_.name(key.function))) key.root = event.root;
  key.algorithm = names_.number(event.algorithm);
  key.protocol = names_.number(event.protocol);
  key.channels = event.channels;
  key.warps = event.warps;
  if (event.captured) key.captured = *event.captured ? 1 : 0;
  return key;
}

std::size_t RecordStore::hash(const Key& key) noexcept {
  static_assert(sizeof(Key) == 24 && std::has_unique_object_representations_v<Key>);
  std::uint64_t mixed = 0;
  for (const std::uint64_t word : std::bit_cast<std::array<std::uint64_t, 3>>(key)) {
    mixed = (mixed ^ word) * 0x9e3779b97f4a7c15ULL;  // 2^64 / golden ratio: spreads over the upper bits
    mixed ^= mixed >> 32;
  }
  return mixed;
}

Record RecordStore::record(const Key& key, std::uint64_t times) const {
  Record record;
  record.stage = key.stage;
  record.function = names_.name(key.function);
  record.datatype = names_.name(key.datatype);
  record.count = key.count;
  if (const std::size_t size = datatype_bytes(record.datatype); size > 0) record.bytes = key.count * size;
  if (key.root >= 0) record.root = key.root;
  record.algorithm = names_.name(key.algorithm);
  record.protocol = names_.name(key.protocol);
  record.channels = known(key.channels);
  record.warps = known(key.warps);
  if (key.captured >= 0) record.captured = key.captured == 1;
  record.times = times;
  return record;
}

}  // namespace busbar::plugins
