#include "observe/host.h"

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>

#include "observe/cpu_list.h"
#include "observe/file.h"

namespace busbar {
namespace {

namespace fs = std::filesystem;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\"'");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\"'\r") - first + 1);
}

// The value of the first line "key<separator>value" in a file; quotes around it are taken off.
std::optional<std::string> value_in(const std::string& path, std::string_view key, char separator) {
  const auto text = read_text(path);
  for (std::string_view rest = text ? std::string_view(*text) : ""; !rest.empty();) {
    const std::string_view line = take_line(rest);
    const std::size_t at = line.find(separator);
    if (at != std::string_view::npos && trimmed(line.substr(0, at)) == key)
      return std::string(trimmed(line.substr(at + 1)));
  }
  return std::nullopt;
}

// A line of /proc/meminfo: "MemTotal:       24615792 kB".
std::optional<Bytes> memory(const std::string& proc, std::string_view key) {
  const auto text = value_in(proc + "/meminfo", key, ':');
  if (!text) return std::nullopt;
  std::string_view words = *text;
  const auto kibibytes = parse_number(take_word(words));
  if (!kibibytes || take_word(words) != "kB") return std::nullopt;
  return Bytes{*kibibytes * 1024};
}

// The set must be as large as the kernel's own, whose size it does not tell: try larger ones.
std::vector<int> own_cpus() {
  constexpr int largest_set = 1 << 16;
  for (int size = CPU_SETSIZE; size <= largest_set; size *= 2) {
    const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(CPU_ALLOC(static_cast<std::size_t>(size)),
                                                               [](cpu_set_t* s) { CPU_FREE(s); });
    const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(size));
    CPU_ZERO_S(bytes, set.get());
    if (sched_getaffinity(0, bytes, set.get()) != 0) continue;
    std::vector<int> cpus;
    for (int cpu = 0; cpu < size; ++cpu) {
      if (CPU_ISSET_S(static_cast<std::size_t>(cpu), bytes, set.get())) cpus.push_back(cpu);
    }
    return cpus;
  }
  return {};
}

std::optional<int> cores_online(const std::string& sys) {
  const auto text = read_text(sys + "/devices/system/cpu/online");
  const auto cpus = text ? parse_cpu_list(*text) : std::nullopt;
  if (!cpus || cpus->empty()) return std::nullopt;
  return static_cast<int>(cpus->size());
}

std::optional<std::string> numa_nodes(const std::string& sys, const std::vector<int>& own) {
  std::vector<int> nodes;
  std::error_code error;
  for (auto it = fs::directory_iterator(sys + "/devices/system/node", error); !error && it != fs::directory_iterator();
       it.increment(error)) {
    const std::string folder = it->path().filename().string();
    const auto number = folder.starts_with("node") ? parse_number(std::string_view(folder).substr(4)) : std::nullopt;
    const auto text = number ? read_text(it->path() / "cpulist") : std::nullopt;
    const auto cpus = text ? parse_cpu_list(*text) : std::nullopt;
    if (!cpus) continue;
    const bool shared = std::find_first_of(own.begin(), own.end(), cpus->begin(), cpus->end()) != own.end();
    if (shared) nodes.push_back(static_cast<int>(*number));
  }
  if (nodes.empty()) return std::nullopt;
  std::sort(nodes.begin(), nodes.end());
  return to_cpu_list(nodes);
}

std::optional<std::string> link_target(const std::string& path) {
  std::error_code error;
  const fs::path target = fs::read_symlink(path, error);
  if (error) return std::nullopt;
  return target.string();
}

std::vector<Nic> nics(const HostSources& sources) {
  std::vector<Nic> found;
  for (const std::string& nic_name : nic_names(read_text(sources.proc + "/net/dev").value_or(""))) {
    found.push_back(sources.nic(nic_name));
  }
  return found;
}

}  // namespace

Host read_host(const HostSources& sources) {
  Host host;
  utsname system{};
  if (uname(&system) == 0) host.kernel = system.release;
  host.name = host_name();
  host.cpu = value_in(sources.proc + "/cpuinfo", "model name", ':');
  const auto cpus = own_cpus();
  host.cpus = to_cpu_list(cpus);
  host.cores = static_cast<int>(cpus.size());
  host.cores_online = cores_online(sources.sys);
  host.numa_nodes = numa_nodes(sources.sys, cpus);
  if (const auto total = memory(sources.proc, "MemTotal")) host.memory_bytes = total->value;
  host.os = value_in(sources.etc + "/os-release", "PRETTY_NAME", '=');
  host.nics = nics(sources);
  host.rdma_ports = rdma_ports(sources.sys + "/class/infiniband");
  host.load_1m = read_load(sources.proc);
  host.boot_id = read_text(sources.proc + "/sys/kernel/random/boot_id");
  host.time_namespace = link_target(sources.proc + "/self/ns/time");
  host.net_namespace = link_target(sources.proc + "/self/ns/net");
  return host;
}

std::string host_name() {
  utsname system{};
  return uname(&system) == 0 ? system.nodename : "";
}

std::optional<Bytes> available_memory(const std::string& proc) { return memory(proc, "MemAvailable"); }

std::optional<double> read_load(const std::string& proc) {
  const auto text = read_text(proc + "/loadavg");
  std::string_view words = text ? std::string_view(*text) : "";
  const std::string_view word = take_word(words);
  double load = 0.0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), load);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return load;
}

std::uint64_t clock_domain_key(const Host& host) {
  const std::string identity = host.boot_id ? *host.boot_id + "/" + host.time_namespace.value_or("")
                                            : host.name + "/" + std::to_string(getpid());
  // FNV-1a, 64 bits: the same on every machine, which std::hash need not be.
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : identity) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

}  // namespace busbar
