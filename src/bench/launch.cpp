#include "bench/launch.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/or_null.h"
#include "measure/clock_sync.h"
#include "measure/exchange.h"
#include "observe/environment.h"
#include "observe/host.h"

namespace busbar {
namespace {

using Json = nlohmann::json;

std::string utc_now() {
  const auto now = std::chrono::system_clock::now();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(now)), ms);
}

Json nics_json(const Host& host) {
  Json nics = Json::array();
  for (const Nic& nic : host.nics) {
    nics.push_back({{"name", nic.name},
                    {"speed_mbps", or_null(nic.speed_mbps)},
                    {"mtu", or_null(nic.mtu)},
                    {"driver", or_null(nic.driver)}});
  }
  return nics;
}

Json rdma_ports_json(const Host& host) {
  Json ports = Json::array();
  for (const RdmaPort& port : host.rdma_ports) {
    ports.push_back({{"device", port.device},
                     {"port", port.port},
                     {"kind", or_null(port.kind)},
                     {"link_layer", or_null(port.link_layer)},
                     {"state", or_null(port.state)},
                     {"physical_state", or_null(port.physical_state)},
                     {"rate", or_null(port.rate)},
                     {"lid", or_null(port.lid)},
                     {"netdev", or_null(port.netdev)},
                     {"pci_address", or_null(port.pci_address)},
                     {"numa_node", or_null(port.numa_node)},
                     {"model", or_null(port.model)},
                     {"firmware", or_null(port.firmware)},
                     {"node_guid", or_null(port.node_guid)},
                     {"sys_image_guid", or_null(port.sys_image_guid)}});
  }
  return ports;
}

Json host_json(const Host& host, const CounterReader* counters) {
  return {{"name", host.name},
          {"cpu", or_null(host.cpu)},
          {"cores", or_null(host.cores_online)},
          {"memory_bytes", or_null(host.memory_bytes)},
          {"kernel", host.kernel},
          {"os", or_null(host.os)},
          {"nics", nics_json(host)},
          {"rdma_ports", rdma_ports_json(host)},
          {"byte_counters", counters == nullptr ? Json() : Json(counters->byte_sources())}};
}

/// What one process tells of itself; keys and figures that only the survey needs are dropped before it becomes a
/// record.
Json process_json(const Machine& machine, Role role) {
  const Host host = machine.describe();
  const auto counters = machine.counters();
  Json nics = Json::array();
  for (const Nic& nic : host.nics) nics.push_back(nic.name);
  return {{"host", host.name},
          {"role", name(role)},
          {"pid", getpid()},
          {"cpus", host.cpus},
          {"gpu", nullptr},
          {"nics", nics},
          {"clock_key", clock_domain_key(host)},
          {"about", host_json(host, counters.get())}};
}

/// Rank 0: processes[], an entry for every thread that is a rank, and hosts[] out of what every process told.
void assemble(const std::vector<std::string>& told, int threads, Json& processes, Json& hosts) {
  std::map<std::uint64_t, int> domains;
  std::set<std::string> known;
  for (const std::string& text : told) {
    Json process = Json::parse(text);
    const auto key = process.at("clock_key").get<std::uint64_t>();
    process["clock_domain"] = domains.emplace(key, static_cast<int>(domains.size())).first->second;
    if (known.insert(process.at("host").get<std::string>()).second) hosts.push_back(process.at("about"));
    process.erase("about");
    for (int thread = 0; thread < threads; ++thread) {
      process["rank"] = processes.size();
      process["thread"] = thread;
      processes.push_back(process);
    }
  }
}

/// What rank 0 put together, at every worker. Few words for each: with a thousand workers, reading them a thousand
/// times is what starting a simulated launch takes.
std::vector<Place> shared_places(Control& workers, const Json& processes) {
  Json told{{"hosts", Json::array()}, {"keys", Json::array()}};
  for (const Json& process : processes) {
    if (process.at("role") != name(Role::worker)) continue;
    told["hosts"].push_back(process.at("host"));
    told["keys"].push_back(process.at("clock_key"));
  }
  told = Json::parse(broadcast_text(workers, told.dump()));
  std::vector<Place> places;
  for (std::size_t rank = 0; rank < told["hosts"].size(); ++rank) {
    places.push_back({told["hosts"][rank].get<std::string>(), told["keys"][rank].get<std::uint64_t>()});
  }
  return places;
}

/// Null where this process measures host memory.
Json gpu_json(Runtime& runtime, const std::string& host) {
  if (runtime.gpu() == nullptr) return {};
  const gpu::DeviceInfo gpu = runtime.gpu()->info();
  return {{"host", host},     {"index", gpu.index},          {"name", gpu.name}, {"memory_bytes", gpu.memory.value},
          {"uuid", gpu.uuid}, {"pci_bus_id", gpu.pci_bus_id}};
}

/// Rank 0: every GPU once, and its index at every worker that uses it.
void put_gpus(const std::vector<std::string>& told, Json& processes, Json& gpus) {
  for (std::size_t rank = 0; rank < told.size(); ++rank) {
    const Json gpu = Json::parse(told[rank]);
    if (gpu.is_null()) continue;
    processes[rank]["gpu"] = gpu.at("index");
    if (std::find(gpus.begin(), gpus.end(), gpu) == gpus.end()) gpus.push_back(gpu);
  }
}

Json conf_json(const char* const* environment) {
  std::string text;
  for (const ConfFile& file : nccl_conf_files(environment)) text += fmt::format("# {}\n{}\n", file.path, file.text);
  return text.empty() ? Json() : Json(text);
}

}  // namespace

Introductions introduce(Control& everyone, const Machine& machine, Role role, double init_us) {
  Introductions all;
  all.told = gather_texts(everyone, process_json(machine, role).dump());
  for (const double us : gather_value(everyone, init_us)) all.slowest_init_us = std::max(all.slowest_init_us, us);
  return all;
}

Launch survey(Runtime& runtime, const Machine& machine, const BuildInfo& build, const Introductions& everyone,
              Json& answer) {
  Control& workers = runtime.workers();
  const Host host = machine.describe();
  ClockSync sync(workers, runtime.clock(), clock_domain_key(host));
  sync.sync();

  Json processes = Json::array();
  Json hosts = Json::array();
  if (workers.is_root()) assemble(everyone.told, runtime.threads(), processes, hosts);
  Launch launch{.places = shared_places(workers, processes), .threads = runtime.threads()};
  const auto told_gpus = gather_texts(workers, gpu_json(runtime, host.name).dump());
  launch.began = runtime.clock().now();
  if (!workers.is_root()) return launch;

  for (Json& process : processes) process.erase("clock_key");
  Json gpus = Json::array();
  put_gpus(told_gpus, processes, gpus);
  Json versions{{"busbar", build.version}, {"compiler", build.compiler}};
  versions.update(Json(runtime.versions()));
  answer = {
      {"type", "launch"},
      {"protocol", 1},
      {"transport", runtime.transport().name()},
      {"fake", runtime.fake()},
      {"started", utc_now()},
      {"init_us", everyone.slowest_init_us},
      {"processes", std::move(processes)},
      {"settings", recorded_settings(environ)},
      {"nccl_conf", conf_json(environ)},
      {"system", {{"hosts", std::move(hosts)}, {"gpus", std::move(gpus)}, {"versions", std::move(versions)}}},
      {"clock",
       {{"source", "monotonic"}, {"domains", sync.domains()}, {"error_us", as_us(sync.worst_error_at(launch.began))}}},
      {"environment", {{"load_1m", or_null(host.load_1m)}}}};
  return launch;
}

}  // namespace busbar
