#include "transport/nccl/plugin.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/error.h"
#include "transport/nccl/settings.h"

namespace busbar::nccl {
namespace {

/// The file as NCCL looks for it: the value itself, then as the end of a library's name.
void* open_plugin(const char* variable, std::string_view kind) {
  const auto named = variable_as_nccl_sees_it(variable);
  if (!named || named->empty() || named == "none") return nullptr;
  for (const std::string& file : {*named, fmt::format("libnccl-{}-{}.so", kind, *named)}) {
    if (void* const handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL)) return handle;
  }
  return nullptr;
}

template <class Function>
Function symbol(void* handle, const char* name) {
  return reinterpret_cast<Function>(dlsym(handle, name));
}

/// Whether the plugin is Busbar's and of this version.
bool speaks(void* handle, const char* version_name, int version) {
  if (handle == nullptr) return false;
  const auto answer = symbol<int (*)()>(handle, version_name);
  return answer != nullptr && answer() == version;
}

}  // namespace

std::optional<Tuner> Tuner::find() {
  void* const handle = open_plugin("NCCL_TUNER_PLUGIN", "tuner");
  if (!speaks(handle, "busbar_tuner_api", BUSBAR_TUNER_API)) return std::nullopt;
  const auto function = symbol<SetTable>(handle, "busbar_tuner_set_table");
  if (function == nullptr) return std::nullopt;
  return Tuner{function};
}

void Tuner::set_table(const std::string& text) const {
  std::array<char, 256> why{};
  if (set_table_(text.c_str(), why.data(), why.size()) == 0) return;
  throw RuntimeError(fmt::format("the tuner plugin refuses its table: {}", why.data()));
}

void Tuner::reset() const { set_table_(nullptr, nullptr, 0); }

std::optional<Profiler> Profiler::find() {
  void* const handle = open_plugin("NCCL_PROFILER_PLUGIN", "profiler");
  if (!speaks(handle, "busbar_profiler_api", BUSBAR_PROFILER_API)) return std::nullopt;
  const auto list = symbol<Communicators>(handle, "busbar_profiler_communicators");
  const auto take = symbol<Read>(handle, "busbar_profiler_read");
  if (list == nullptr || take == nullptr) return std::nullopt;
  return Profiler{list, take};
}

std::vector<ProfiledCommunicator> Profiler::all() const {
  std::vector<ProfiledCommunicator> found(communicators_(nullptr, 0));
  found.resize(std::min(found.size(), communicators_(found.data(), found.size())));
  return found;
}

std::optional<ProfiledCommunicator> Profiler::newest(const std::string& name, Rank rank, int ranks) const {
  auto known = all();
  if (!name.empty()) std::erase_if(known, [&](const ProfiledCommunicator& c) { return name != c.name; });
  if (known.empty()) return std::nullopt;
  const ProfiledCommunicator& last = known.back();
  if (last.open == 0 || last.rank != rank.value || last.ranks != ranks) return std::nullopt;
  return last;
}

std::optional<ProfiledCommunicator> Profiler::facts(std::uint64_t handle) const {
  for (const ProfiledCommunicator& c : all()) {
    if (c.handle == handle) return c;
  }
  return std::nullopt;
}

std::vector<ProfiledRecord> Profiler::read(std::uint64_t handle) const {
  constexpr std::size_t at_a_time = 64;
  std::vector<ProfiledRecord> records;
  for (std::size_t got = at_a_time; got == at_a_time;) {
    const std::size_t before = records.size();
    records.resize(before + at_a_time);
    got = read_(handle, records.data() + before, at_a_time);
    records.resize(before + got);
  }
  return records;
}

}  // namespace busbar::nccl
