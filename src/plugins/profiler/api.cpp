// The functions of profiler_api.h.
#include <algorithm>
#include <cstring>
#include <string_view>

#include "plugins/profiler/registry.h"
#include "plugins/profiler_api.h"

namespace busbar::plugins {
namespace {

template <std::size_t N>
void copy(std::string_view text, char (&to)[N]) {
  const std::size_t length = std::min(text.size(), N - 1);
  std::copy_n(text.begin(), length, to);
  to[length] = '\0';
}

busbar_profiler_communicator to_c(const Communicator& communicator) {
  busbar_profiler_communicator c{};
  c.handle = communicator.handle;
  c.id = communicator.facts.id;
  copy(communicator.facts.name, c.name);
  c.rank = communicator.facts.rank;
  c.ranks = communicator.facts.ranks;
  c.nodes = communicator.facts.nodes;
  c.interface = communicator.facts.interface;
  c.open = communicator.open ? 1 : 0;
  c.lost = communicator.records.lost();
  return c;
}

busbar_profiler_record to_c(const Record& record) {
  busbar_profiler_record c{};
  c.stage = record.stage == Stage::called ? busbar_profiler_called : busbar_profiler_enqueued;
  copy(record.function, c.function);
  copy(record.datatype, c.datatype);
  c.count = record.count;
  c.bytes = record.bytes ? static_cast<std::int64_t>(*record.bytes) : std::int64_t{busbar_profiler_unknown};
  c.root = record.root.value_or(busbar_profiler_unknown);
  copy(record.algorithm, c.algorithm);
  copy(record.protocol, c.protocol);
  c.channels = record.channels.value_or(busbar_profiler_unknown);
  c.warps = record.warps.value_or(busbar_profiler_unknown);
  c.captured = record.captured ? static_cast<int>(*record.captured) : busbar_profiler_unknown;
  c.times = record.times;
  return c;
}

}  // namespace
}  // namespace busbar::plugins

extern "C" {

int busbar_profiler_api(void) { return BUSBAR_PROFILER_API; }

size_t busbar_profiler_communicators(busbar_profiler_communicator* out, size_t capacity) {
  using namespace busbar::plugins;
  size_t known = 0;
  Registry::of_process().for_each([&](const Communicator& communicator) {
    if (known < capacity) out[known] = to_c(communicator);
    ++known;
  });
  return known;
}

size_t busbar_profiler_read(uint64_t handle, busbar_profiler_record* out, size_t capacity) {
  using namespace busbar::plugins;
  std::vector<Record> records;
  Registry::of_process().for_each([&](Communicator& communicator) {
    if (communicator.handle == handle) records = communicator.records.take(capacity);
  });
  std::transform(records.begin(), records.end(), out, [](const Record& record) { return to_c(record); });
  return records.size();
}

}  // extern "C"
