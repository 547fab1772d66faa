// InfiniBand and RoCE ports out of folders that stand in for /sys.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "observe/host.h"
#include "observe/rdma.h"
#include "tests/cpp/fake_root.h"

namespace busbar {
namespace {

using fake::FakeRoot;
using ::testing::IsEmpty;

struct Machine : FakeRoot {
  std::string ports() const { return path("class/infiniband"); }

  void add_device(const std::string& device, const std::string& pci, const std::string& node_type) const {
    const std::string folder = "class/infiniband/" + device;
    write(folder + "/node_type", node_type + "\n");
    write(folder + "/hca_type", "MT4129\n");
    write(folder + "/fw_ver", "28.39.1002\n");
    write(folder + "/node_guid", "a088:c203:00ab:cdef\n");
    write(folder + "/sys_image_guid", "a088:c203:00ab:cdee\n");
    write("devices/" + pci + "/numa_node", "1\n");
    link(folder + "/device", path("devices/" + pci));
  }
  void add_port(const std::string& device, int port, const std::string& link_layer, const std::string& state) const {
    const std::string folder = "class/infiniband/" + device + "/ports/" + std::to_string(port);
    write(folder + "/link_layer", link_layer + "\n");
    write(folder + "/state", state + "\n");
    write(folder + "/phys_state", "5: LinkUp\n");
    write(folder + "/rate", "400 Gb/sec (4X NDR)\n");
    write(folder + "/lid", "0x1c\n");
  }
};

TEST(RdmaPorts, OfInfiniBand) {
  const Machine machine;
  machine.add_device("mlx5_0", "0000:3b:00.0", "1: CA");
  machine.add_port("mlx5_0", 1, "InfiniBand", "4: ACTIVE");
  machine.write("devices/0000:3b:00.0/net/ib0/dev_port", "0\n");
  const auto ports = rdma_ports(machine.ports());
  ASSERT_EQ(ports.size(), 1U);
  const RdmaPort& port = ports[0];
  EXPECT_EQ(port.device, "mlx5_0");
  EXPECT_EQ(port.port, 1);
  EXPECT_EQ(port.kind, "InfiniBand");
  EXPECT_EQ(port.link_layer, "InfiniBand");
  EXPECT_EQ(port.state, "ACTIVE");
  EXPECT_TRUE(port.is_active());
  EXPECT_EQ(port.physical_state, "LinkUp");
  EXPECT_EQ(port.rate, "400 Gb/sec (4X NDR)");
  EXPECT_EQ(port.lid, "0x1c");
  EXPECT_EQ(port.netdev, "ib0");
  EXPECT_EQ(port.pci_address, "0000:3b:00.0");
  EXPECT_EQ(port.numa_node, 1);
  EXPECT_EQ(port.model, "MT4129");
  EXPECT_EQ(port.firmware, "28.39.1002");
  EXPECT_EQ(port.node_guid, "a088:c203:00ab:cdef");
  EXPECT_EQ(port.sys_image_guid, "a088:c203:00ab:cdee");
  EXPECT_FALSE(port.netdev_counts_all);
  EXPECT_FALSE(port.is_software());
}

TEST(RdmaPorts, OfEthernet) {
  const Machine machine;
  machine.add_device("mlx5_0", "0000:3b:00.0", "1: CA");
  machine.add_port("mlx5_0", 1, "Ethernet", "1: DOWN");
  machine.write("class/infiniband/mlx5_0/ports/1/gid_attrs/ndevs/0", "ens5f0np0\n");
  machine.write("class/infiniband/mlx5_0/ports/1/gid_attrs/ndevs/4", "ens5f0np0.100\n");
  machine.write("devices/0000:3b:00.0/net/ens5f0np0/phys_switch_id", "0c42a103005f8f9c\n");
  machine.write("devices/0000:3b:00.0/numa_node", "-1\n");
  machine.add_device("irdma0", "0000:5e:00.0", "4: RNIC");
  machine.add_port("irdma0", 1, "Ethernet", "4: ACTIVE");
  machine.add_device("efa_0", "0000:7f:00.0", "7: unspecified");
  machine.add_port("efa_0", 1, "Unspecified", "4: ACTIVE");
  const auto ports = rdma_ports(machine.ports());
  ASSERT_EQ(ports.size(), 3U);
  EXPECT_EQ(ports[0].device, "efa_0");
  EXPECT_FALSE(ports[0].kind);
  EXPECT_EQ(ports[1].kind, "iWARP");
  EXPECT_EQ(ports[2].kind, "RoCE");
  EXPECT_EQ(ports[2].netdev, "ens5f0np0");
  EXPECT_TRUE(ports[2].netdev_counts_all);
  EXPECT_FALSE(ports[2].is_active());
  EXPECT_FALSE(ports[2].numa_node);
}

TEST(RdmaPorts, TwoOfOneDevice) {
  const Machine machine;
  machine.add_device("mlx4_0", "0000:3b:00.0", "1: CA");
  machine.add_port("mlx4_0", 1, "InfiniBand", "4: ACTIVE");
  machine.add_port("mlx4_0", 2, "InfiniBand", "4: ACTIVE");
  machine.write("devices/0000:3b:00.0/net/ib0/dev_port", "0\n");
  machine.write("devices/0000:3b:00.0/net/ib1/dev_port", "1\n");
  const auto ports = rdma_ports(machine.ports());
  ASSERT_EQ(ports.size(), 2U);
  EXPECT_EQ(ports[0].netdev, "ib0");
  EXPECT_EQ(ports[1].port, 2);
  EXPECT_EQ(ports[1].netdev, "ib1");
}

TEST(RdmaPorts, NoneWhereThereIsNoDevice) {
  const Machine machine;
  EXPECT_THAT(rdma_ports(machine.ports()), IsEmpty());
  machine.add_device("mlx5_0", "0000:3b:00.0", "1: CA");
  EXPECT_THAT(rdma_ports(machine.ports()), IsEmpty());
  machine.write("class/infiniband/mlx5_0/ports/garbage/state", "4: ACTIVE\n");
  EXPECT_THAT(rdma_ports(machine.ports()), IsEmpty());
}

TEST(RdmaPorts, WhatCannotBeReadIsNone) {
  const Machine machine;
  machine.write("class/infiniband/rxe0/ports/1/state", "ACTIVE\n");  // not as the kernel puts it
  const auto ports = rdma_ports(machine.ports());
  ASSERT_EQ(ports.size(), 1U);
  EXPECT_FALSE(ports[0].kind || ports[0].link_layer || ports[0].state || ports[0].rate || ports[0].netdev);
  EXPECT_FALSE(ports[0].pci_address || ports[0].numa_node || ports[0].firmware);
  EXPECT_TRUE(ports[0].is_software());
  EXPECT_FALSE(ports[0].is_active());
}

TEST(RdmaPorts, BelongToTheHost) {
  const Machine machine;
  machine.add_device("mlx5_0", "0000:3b:00.0", "1: CA");
  machine.add_port("mlx5_0", 1, "InfiniBand", "4: ACTIVE");
  HostSources sources;
  sources.sys = machine.path();
  EXPECT_EQ(read_host(sources).rdma_ports.size(), 1U);
}

// Whatever the files hold: never a crash, and no text that a record could not hold.
TEST(RdmaPorts, SurviveGarbage) {
  std::mt19937_64 random(7);
  const auto mangle = [&](std::string text) {
    text.resize(random() % (text.size() + 1));
    for (auto n = random() % 3; n > 0 && !text.empty(); --n) {
      text[random() % text.size()] = static_cast<char>(random() % 256);
    }
    return text;
  };
  const auto printable = [](const std::optional<std::string>& text) {
    return !text || std::all_of(text->begin(), text->end(), [](char c) { return c >= ' ' && c <= '~'; });
  };
  const Machine machine;
  machine.add_device("mlx5_0", "0000:3b:00.0", "1: CA");
  for (int i = 0; i < 100; ++i) {
    const std::string device = "class/infiniband/mlx5_0/";
    machine.write(device + "ports/1/link_layer", mangle("InfiniBand\n"));
    machine.write(device + "ports/1/state", mangle("4: ACTIVE\n"));
    machine.write(device + "ports/1/rate", mangle("400 Gb/sec (4X NDR)\n"));
    machine.write(device + "ports/1/gid_attrs/ndevs/0", mangle("../../ens5f0np0\n"));
    machine.write(device + "fw_ver", mangle("28.39.1002\n"));
    machine.write("devices/0000:3b:00.0/numa_node", mangle("1\n"));
    for (const RdmaPort& port : rdma_ports(machine.ports())) {
      EXPECT_TRUE(printable(port.state) && printable(port.rate) && printable(port.firmware) && printable(port.netdev));
    }
  }
}

}  // namespace
}  // namespace busbar
