#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "observe/cpu_list.h"
#include "observe/host.h"
#include "tests/cpp/fake_root.h"

namespace busbar {
namespace {

using fake::FakeRoot;
using fake::test_data;

Nic fake_nic(const std::string& name) {
  return {.name = name, .speed_mbps = 400'000, .mtu = 9000, .driver = "mlx5_core"};
}

struct Machine : FakeRoot {
  Machine() {
    write("proc/cpuinfo", "processor\t: 0\nvendor_id\t: X\nmodel name\t: Some CPU @ 2.00GHz\n\nprocessor\t: 1\n");
    write("proc/meminfo", "MemTotal:       24615792 kB\nMemFree: 1 kB\nMemAvailable: 7 kB\n");
    write("proc/loadavg", "0.42 0.28 0.21 1/93 15111\n");
    write("proc/net/dev", test_data("proc_net_dev.txt"));
    write("proc/sys/kernel/random/boot_id", "11111111-2222-3333-4444-555555555555\n");
    link("proc/self/ns/time", "time:[4026531834]");
    link("proc/self/ns/net", "net:[4026531833]");
    write("etc/os-release", "NAME=\"Debian GNU/Linux\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n");
    write("sys/devices/system/cpu/online", "0-3,8\n");
    write("sys/devices/system/node/node0/cpulist", "0-4095\n");
    write("sys/devices/system/node/node3/cpulist", "0-4095\n");
    write("sys/devices/system/node/node4/cpulist", "\n");
    write("sys/devices/system/node/power/control", "auto\n");
  }
  HostSources sources() const { return {path("proc"), path("sys"), path("etc"), fake_nic}; }
};

TEST(Host, OfAMachineOfFiles) {
  const Host host = read_host(Machine().sources());
  EXPECT_EQ(host.cpu, "Some CPU @ 2.00GHz");
  EXPECT_EQ(host.cores_online, 5);
  EXPECT_EQ(host.numa_nodes, "0,3");
  EXPECT_EQ(host.memory_bytes, 24615792ULL * 1024);
  EXPECT_EQ(host.os, "Debian GNU/Linux 12 (bookworm)");
  EXPECT_EQ(host.load_1m, 0.42);
  EXPECT_EQ(host.boot_id, "11111111-2222-3333-4444-555555555555");
  EXPECT_EQ(host.time_namespace, "time:[4026531834]");
  EXPECT_EQ(host.net_namespace, "net:[4026531833]");
  ASSERT_EQ(host.nics.size(), 4U);
  EXPECT_EQ(host.nics[1].name, "ens5f1np1");
  EXPECT_EQ(host.nics[1].speed_mbps, 400'000);
}

TEST(Host, AvailableMemory) {
  EXPECT_EQ(available_memory(Machine().path("proc")), Bytes{7 * 1024});
  EXPECT_FALSE(available_memory(FakeRoot().path()));
  EXPECT_EQ(host_name(), read_host().name);
}

TEST(Host, WhatCannotBeReadIsNone) {
  const FakeRoot nothing;
  const Host host = read_host({nothing.path(), nothing.path(), nothing.path(), fake_nic});
  EXPECT_FALSE(host.cpu);
  EXPECT_FALSE(host.cores_online);
  EXPECT_FALSE(host.numa_nodes);
  EXPECT_FALSE(host.memory_bytes);
  EXPECT_FALSE(host.os);
  EXPECT_FALSE(host.load_1m);
  EXPECT_FALSE(host.boot_id);
  EXPECT_TRUE(host.nics.empty());
}

TEST(Host, OfThisMachine) {
  const Host host = read_host();
  std::array<char, 256> name{};
  ASSERT_EQ(gethostname(name.data(), name.size() - 1), 0);
  EXPECT_EQ(host.name, name.data());
  EXPECT_FALSE(host.kernel.empty());
  EXPECT_GE(host.cores, 1);
  EXPECT_EQ(parse_cpu_list(host.cpus)->size(), static_cast<std::size_t>(host.cores));
  EXPECT_TRUE(host.memory_bytes);
}

TEST(Host, SurvivesGarbage) {
  std::mt19937_64 random(6);
  const Machine machine;
  for (int i = 0; i < 200; ++i) {
    std::string text(random() % 200, '\0');
    for (char& c : text) c = "0123456789-,: =\n\tkBMemTotal\"\xff"[random() % 28];
    for (const char* file : {"proc/cpuinfo", "proc/meminfo", "proc/loadavg", "proc/net/dev", "etc/os-release",
                             "sys/devices/system/cpu/online", "sys/devices/system/node/node0/cpulist"}) {
      machine.write(file, text);
    }
    read_host(machine.sources());
  }
}

std::uint64_t key_of(const std::string& name, std::optional<std::string> boot_id, const std::string& time_namespace) {
  Host host;
  host.name = name;
  host.boot_id = std::move(boot_id);
  host.time_namespace = time_namespace;
  return clock_domain_key(host);
}

TEST(ClockDomain, IsOneKernelAndOneTimeNamespace) {
  const auto key = key_of("host1", "boot", "time:[1]");
  EXPECT_EQ(key, key_of("host2", "boot", "time:[1]"));  // an emulated host: the same kernel under another name
  EXPECT_NE(key, key_of("host1", "boot", "time:[2]"));
  EXPECT_NE(key, key_of("host1", "other", "time:[1]"));
  EXPECT_NE(key_of("host1", std::nullopt, "time:[1]"), key_of("host2", std::nullopt, "time:[1]"));
}

TEST(CpuList, ThereAndBack) {
  EXPECT_EQ(to_cpu_list({}), "");
  EXPECT_EQ(to_cpu_list({5}), "5");
  EXPECT_EQ(to_cpu_list({0, 1, 2, 3, 8}), "0-3,8");
  EXPECT_EQ(to_cpu_list({0, 2, 3, 9, 10}), "0,2-3,9-10");
  for (const char* text : {"", "5", "0-3,8", "0,2-3,9-10"}) EXPECT_EQ(to_cpu_list(parse_cpu_list(text).value()), text);
}

TEST(CpuList, RefusesWhatIsNone) {
  for (const char* text : {"a", "1-", "-1", "3-1", "1,,2", "0-99999999", "1 2"})
    EXPECT_FALSE(parse_cpu_list(text)) << text;
}

TEST(Nic, TheKernelKnowsItsLoopback) {
  const Nic lo = ask_kernel_for_nic("lo");
  EXPECT_TRUE(lo.mtu);
  EXPECT_FALSE(lo.speed_mbps);
  EXPECT_FALSE(lo.infiniband);
  const Nic none = ask_kernel_for_nic("no-such-nic");
  EXPECT_FALSE(none.mtu);
  EXPECT_FALSE(none.driver);
}

TEST(Nic, StackedOnesAreKnownByTheirDriver) {
  const auto stacked = [](const char* driver) {
    return Nic{.name = "x", .speed_mbps = {}, .mtu = {}, .driver = driver}.is_stacked();
  };
  EXPECT_TRUE(stacked("bonding"));
  EXPECT_TRUE(stacked("802.1Q VLAN Support"));
  EXPECT_FALSE(stacked("veth"));
  EXPECT_FALSE(stacked("mlx5_core"));
}

}  // namespace
}  // namespace busbar
