// What this process runs on, from the kernel's plain files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/units.h"
#include "observe/nic.h"
#include "observe/rdma.h"

namespace busbar {

/// A figure that cannot be read is none.
struct Host {
  std::string name;                ///< of this UTS namespace
  std::optional<std::string> cpu;  ///< the model's name
  std::string cpus;                ///< those that this process may run on, as "0-3,8"
  int cores = 0;                   ///< how many those are
  std::optional<int> cores_online;
  std::optional<std::string> numa_nodes;  ///< those that `cpus` belong to, as "0-1"
  std::optional<std::uint64_t> memory_bytes;
  std::string kernel;
  std::optional<std::string> os;
  std::vector<Nic> nics;             ///< of this network namespace, without `lo`
  std::vector<RdmaPort> rdma_ports;  ///< of this machine: most systems show them in every namespace
  std::optional<double> load_1m;
  std::optional<std::string> boot_id;         ///< of the kernel
  std::optional<std::string> time_namespace;  ///< as "time:[4026531834]"; none where the kernel knows no such thing
  std::optional<std::string> net_namespace;
};

/// Where to look.
struct HostSources {
  std::string proc = "/proc";
  std::string sys = "/sys";
  std::string etc = "/etc";
  NicQuery nic = ask_kernel_for_nic;
};

Host read_host(const HostSources& sources = {});

/// This host's name by itself, for lines that must not wait for anything; of this UTS namespace.
std::string host_name();

/// Memory that programs can still have without swapping, now (MemAvailable; a control group may allow less). None where
/// it cannot be read.
std::optional<Bytes> available_memory(const std::string& proc = "/proc");

/// The one-minute load average now, by itself: read before and after a run. None where it cannot be read.
std::optional<double> read_load(const std::string& proc = "/proc");

/// Equal for processes that share CLOCK_MONOTONIC, and for those only: one kernel since one boot, one time namespace.
/// Where the kernel's identity cannot be read, a key of this process alone: what is not known to be shared counts as
/// not shared. Virtual machines restored from one snapshot may share a boot id without sharing a clock; this cannot see
/// it.
std::uint64_t clock_domain_key(const Host& host);

}  // namespace busbar
