#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

#include "observe/counters.h"
#include "tests/cpp/fake_root.h"

namespace busbar {
namespace {

using fake::FakeRoot;
using fake::test_data;
using ::testing::ElementsAre;

Nic fake_nic(const std::string& name) {
  Nic nic{.name = name, .speed_mbps = {}, .mtu = {}, .driver = name == "bond0" ? "bonding" : "mlx5_core"};
  nic.infiniband = name == "ib0";
  return nic;
}

struct Node : FakeRoot {
  Node() {
    write("proc/net/dev", test_data("proc_net_dev.txt"));
    write("proc/net/snmp", test_data("proc_net_snmp.txt"));
    write("proc/net/netstat", test_data("proc_net_netstat.txt"));
  }
  // An active port whose every counter is `value`.
  void add_port(const std::string& device, const std::string& link_layer, int value) const {
    const std::string port = "ib/" + device + "/ports/1/";
    add_device(device);
    write(port + "link_layer", link_layer + "\n");
    write(port + "state", "4: ACTIVE\n");
    write(port + "gid_attrs/ndevs/0", "ens5f1np1\n");
    for (const char* counter :
         {"counters/port_xmit_data", "counters/port_rcv_data", "counters/symbol_error", "counters/link_downed",
          "counters/port_xmit_discards", "counters/local_link_integrity_errors", "counters/port_xmit_wait",
          "hw_counters/out_of_sequence", "hw_counters/packet_seq_err", "hw_counters/rnr_nak_retry_err",
          "hw_counters/np_cnp_sent", "hw_counters/rp_cnp_handled"}) {
      write(port + counter, std::to_string(value) + "\n");
    }
  }
  void add_device(const std::string& device) const {
    write("pci/" + device + "/numa_node", "0\n");
    link("ib/" + device + "/device", path("pci/" + device));
  }
  void set(const std::string& device, const std::string& counter, std::uint64_t value) const {
    write("ib/" + device + "/ports/1/" + counter, std::to_string(value) + "\n");
  }
  CounterReader reader() const {
    return CounterReader({.proc = path("proc"), .infiniband = path("ib"), .nic = fake_nic});
  }
};

TEST(Counters, OfEthernetCountEachByteOnce) {
  const Counters c = Node().reader().read();
  EXPECT_EQ(c.rx_bytes, 1'000'000U + 2'000U + 7'777U);
  EXPECT_EQ(c.tx_bytes, 500'000U + 300U + 8'888U);
  EXPECT_EQ(c.of(Fault::errors), 11U);
  EXPECT_EQ(c.of(Fault::drops), 23U);
  EXPECT_EQ(c.of(Fault::overruns), 44U);
  EXPECT_EQ(c.of(Fault::retransmits), 17U);
  EXPECT_EQ(c.of(Fault::timeouts), 5U);
  EXPECT_EQ(c.of(Fault::ecn_marks), 3U);
  EXPECT_FALSE(c.of(Fault::symbol_errors));
  EXPECT_FALSE(c.of(Fault::link_downs));
  EXPECT_FALSE(c.of(Fault::out_of_sequence));
}

// InfiniBand's counters count words of four bytes and include what ib0 carries.
TEST(Counters, OfInfiniBand) {
  const Node node;
  node.add_port("mlx5_0", "InfiniBand", 10);
  node.add_port("mlx5_1", "InfiniBand", 1);
  const Counters c = node.reader().read();
  EXPECT_EQ(c.tx_bytes, 500'300U + 4 * 11);
  EXPECT_EQ(c.rx_bytes, 1'002'000U + 4 * 11);
  EXPECT_EQ(c.of(Fault::symbol_errors), 11U);
  EXPECT_EQ(c.of(Fault::link_downs), 11U);
  EXPECT_EQ(c.of(Fault::out_of_sequence), 22U);
  EXPECT_EQ(c.of(Fault::drops), 23U + 11U);
  EXPECT_EQ(c.of(Fault::link_integrity), 11U);
  EXPECT_EQ(c.of(Fault::rnr_retries), 11U);
  EXPECT_EQ(c.of(Congestion::xmit_wait), 11U);
  EXPECT_EQ(c.of(Congestion::cnps_sent), 11U);
  EXPECT_EQ(c.of(Congestion::cnps_handled), 11U);
}

TEST(Counters, CongestionIsNoFault) {
  const Node node;
  node.add_port("mlx5_0", "Ethernet", 10);
  CounterReader reader = node.reader();
  const Counters before = reader.read();
  node.set("mlx5_0", "counters/port_xmit_wait", 5'000);
  node.set("mlx5_0", "hw_counters/np_cnp_sent", 11);
  const Counters growth = reader.read() - before;
  EXPECT_EQ(growth.of(Congestion::xmit_wait), 4'990U);
  EXPECT_EQ(growth.of(Congestion::cnps_sent), 1U);
  EXPECT_EQ(growth.of(Congestion::cnps_handled), 0U);
  EXPECT_FALSE(any_fault(growth));
  EXPECT_FALSE(Node().reader().read().of(Congestion::xmit_wait));
}

TEST(Counters, OfRoceAddToTheEthernetInterface) {
  const Node node;
  node.add_port("mlx5_0", "Ethernet", 10);
  const CounterReader reader = node.reader();
  EXPECT_EQ(node.reader().read().tx_bytes, 500'300U + 8'888U + 40U);
  EXPECT_THAT(reader.byte_sources(), ElementsAre("eth0", "ens5f1np1", "ib0", "mlx5_0/1"));
}

// In switchdev mode the interface stands for the physical port.
TEST(Counters, OfAnInterfaceThatCountsAllAreNotCountedTwice) {
  const Node node;
  node.add_port("mlx5_0", "Ethernet", 10);
  node.write("pci/mlx5_0/net/ens5f1np1/phys_switch_id", "0c42a103005f8f9c\n");
  CounterReader reader = node.reader();
  const Counters c = reader.read();
  EXPECT_EQ(c.tx_bytes, 500'300U + 8'888U);
  EXPECT_EQ(c.of(Fault::symbol_errors), 10U);
  EXPECT_TRUE(reader.read_quick().tx_bytes);
  EXPECT_THAT(reader.byte_sources(), ElementsAre("eth0", "ens5f1np1", "ib0"));
  // An interface of another network namespace counts for nobody here.
  node.write("ib/mlx5_0/ports/1/gid_attrs/ndevs/0", "elsewhere\n");
  node.write("pci/mlx5_0/net/elsewhere/phys_switch_id", "0c42a103005f8f9c\n");
  EXPECT_EQ(node.reader().read().tx_bytes, 500'300U + 8'888U + 40U);
}

TEST(Counters, OfASoftwareDeviceAreItsInterfaces) {
  const Node node;
  node.add_port("rxe0", "Ethernet", 10);
  node.remove("ib/rxe0/device");
  const CounterReader reader = node.reader();
  EXPECT_EQ(node.reader().read().tx_bytes, 509'188U);
  EXPECT_THAT(reader.byte_sources(), ElementsAre("eth0", "ens5f1np1", "ib0"));
}

TEST(Counters, APortThatHidesItsBytesLeavesThemUnknown) {
  const Node node;
  node.add_port("irdma0", "Ethernet", 10);
  node.write("ib/irdma0/ports/1/counters/port_rcv_data", "N/A (no PMA)\n");
  const Counters hidden = node.reader().read();
  EXPECT_FALSE(hidden.tx_bytes);
  EXPECT_FALSE(hidden.rx_bytes);
  EXPECT_FALSE(node.reader().read_quick().tx_bytes);
  EXPECT_TRUE(node.reader().byte_sources().empty());
  EXPECT_EQ(hidden.of(Fault::symbol_errors), 10U);
  node.write("ib/irdma0/ports/1/state", "1: DOWN\n");
  EXPECT_EQ(node.reader().read().rx_bytes, 1'009'777U);  // nothing passes a port that is down
}

TEST(Counters, OneOfManyThatIsResetOrFullLeavesTheSumUnknown) {
  const Node node;
  node.add_port("mlx5_0", "InfiniBand", 100);
  node.add_port("mlx5_1", "InfiniBand", 100);
  CounterReader reader = node.reader();
  const Counters before = reader.read();
  node.set("mlx5_0", "counters/port_xmit_data", 90);      // reset, or wrapped,
  node.set("mlx5_1", "counters/port_xmit_data", 10'000);  // which the sum hides
  node.set("mlx5_1", "counters/symbol_error", 65'535);    // has no room for more
  node.set("mlx5_1", "counters/link_downed", 101);
  const Counters after = reader.read();
  EXPECT_FALSE((after - before).tx_bytes);
  EXPECT_EQ((after - before).rx_bytes, 0U);
  EXPECT_FALSE(after.of(Fault::symbol_errors));
  EXPECT_EQ((after - before).of(Fault::link_downs), 1U);
  node.set("mlx5_0", "counters/port_xmit_data", 95);
  EXPECT_EQ((reader.read() - after).tx_bytes, 20U);            // sound again from there on
  node.set("mlx5_0", "counters/port_xmit_data", 0xffff'ffff);  // 32 bits, and full
  EXPECT_FALSE(reader.read().tx_bytes);
  node.set("mlx5_0", "counters/port_xmit_data", 0x1'0000'0000);
  EXPECT_TRUE(reader.read().tx_bytes);
}

TEST(Counters, AnInterfaceThatIsResetLeavesTheSumUnknown) {
  const Node node;
  CounterReader reader = node.reader();
  const Counters before = reader.read();
  auto text = test_data("proc_net_dev.txt");
  text.replace(text.find("500000"), 6, "900000");
  text.replace(text.find("8888"), 4, "   1");
  node.write("proc/net/dev", text);
  const Counters growth = reader.read() - before;
  EXPECT_FALSE(growth.tx_bytes);
  EXPECT_EQ(growth.rx_bytes, 0U);
}

TEST(Counters, QuickReadingHasWhatIsCheap) {
  const Node node;
  const Counters ethernet = node.reader().read_quick();
  EXPECT_EQ(ethernet.tx_bytes, 509'188U);
  EXPECT_EQ(ethernet.of(Fault::drops), 23U);
  EXPECT_EQ(ethernet.of(Fault::retransmits), 17U);
  EXPECT_FALSE(ethernet.of(Fault::timeouts));
  node.add_port("mlx5_0", "InfiniBand", 10);
  EXPECT_FALSE(node.reader().read_quick().tx_bytes);
}

TEST(Counters, GrowthBetweenTwoReadings) {
  const Node node;
  CounterReader reader = node.reader();
  const Counters before = reader.read();
  EXPECT_FALSE(any_fault(reader.read() - before));
  auto text = test_data("proc_net_snmp.txt");
  text.replace(text.find(" 17 "), 4, " 19 ");
  node.write("proc/net/snmp", text);
  const Counters growth = reader.read() - before;
  EXPECT_EQ(growth.tx_bytes, 0U);
  EXPECT_EQ(growth.of(Fault::retransmits), 2U);
  EXPECT_TRUE(any_fault(growth));
}

TEST(Counters, GrowthOfTheUnknownOrBackwardsIsUnknown) {
  Counters a, b;
  a.tx_bytes = 10;
  b.tx_bytes = 9;
  b.rx_bytes = 5;
  EXPECT_FALSE((b - a).tx_bytes);
  EXPECT_FALSE((b - a).rx_bytes);
  EXPECT_FALSE(any_fault(b - a));
}

TEST(Counters, MissingFilesAreNotZero) {
  const FakeRoot nothing;
  const Counters c = CounterReader({.proc = nothing.path(), .infiniband = nothing.path("ib"), .nic = fake_nic}).read();
  EXPECT_FALSE(c.tx_bytes);
  EXPECT_FALSE(c.rx_bytes);
  for (const auto& fault : c.faults) EXPECT_FALSE(fault);
  for (const auto& sign : c.congestion) EXPECT_FALSE(sign);
}

TEST(Counters, AnInterfaceOrPortThatGoesMakesItsSumsUnknown) {
  const Node node;
  node.add_port("mlx5_0", "Ethernet", 10);
  CounterReader reader = node.reader();
  auto text = test_data("proc_net_dev.txt");
  text.erase(text.find("  ens5f1np1"), text.find(" bond0") - text.find("  ens5f1np1"));
  node.write("proc/net/dev", text);
  node.write("ib/mlx5_0/ports/1/counters/symbol_error", "N/A (no PMA)\n");
  const Counters c = reader.read();
  EXPECT_FALSE(c.tx_bytes);
  EXPECT_FALSE(c.of(Fault::drops));
  EXPECT_FALSE(c.of(Fault::symbol_errors));
  EXPECT_EQ(c.of(Fault::link_downs), 10U);
  EXPECT_EQ(c.of(Fault::retransmits), 17U);
}

TEST(Counters, OfThisMachine) {
  CounterReader reader;
  const Counters before = reader.read();
  EXPECT_TRUE(before.tx_bytes);
  EXPECT_TRUE(before.of(Fault::retransmits));
  EXPECT_TRUE((reader.read() - before).tx_bytes);
}

TEST(Fault, EachHasItsOwnName) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < fault_count; ++i) names.insert(name(static_cast<Fault>(i)));
  EXPECT_EQ(names.size(), fault_count);
  EXPECT_EQ(name(Fault::drops), "drops");
  EXPECT_EQ(name(Fault::rnr_retries), "rnr_retries");
  for (std::size_t i = 0; i < congestion_count; ++i) names.insert(name(static_cast<Congestion>(i)));
  EXPECT_EQ(names.size(), fault_count + congestion_count);
}

TEST(SnmpValue, FindsTheColumn) {
  const std::string text = "Ip: A B\nIp: 1 2\nTcp: A MaxConn C\nTcp: 7 -1 9\n";
  EXPECT_EQ(snmp_value(text, "Tcp", "A"), 7U);
  EXPECT_EQ(snmp_value(text, "Tcp", "C"), 9U);
  EXPECT_FALSE(snmp_value(text, "Tcp", "MaxConn"));
  EXPECT_FALSE(snmp_value(text, "Tcp", "D"));
  EXPECT_FALSE(snmp_value(text, "Udp", "A"));
  EXPECT_FALSE(snmp_value("Tcp: A B\nTcp: 7", "Tcp", "B"));
  EXPECT_FALSE(snmp_value("Tcp: A B\n", "Tcp", "A"));
  EXPECT_FALSE(snmp_value("Tcp: A\nUdp: 1\n", "Tcp", "A"));
}

TEST(Interface, ParsesOneLine) {
  const auto tight = parse_interface("eth0:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16");
  ASSERT_TRUE(tight);
  EXPECT_EQ(tight->name, "eth0");
  EXPECT_EQ(tight->rx_bytes, 1U);
  EXPECT_EQ(tight->tx_bytes, 9U);
  EXPECT_EQ(tight->errors, 3U + 11U);
  EXPECT_EQ(tight->drops, 4U + 12U);
  EXPECT_EQ(tight->overruns, 5U + 13U);
  EXPECT_FALSE(parse_interface("eth0: 1 2 3"));
  EXPECT_FALSE(parse_interface("eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 99999999999999999999999"));
  EXPECT_FALSE(parse_interface(""));
}

// Truncated anywhere, bytes flipped anywhere: never a crash, and a figure only where there is one.
TEST(Counters, SurviveGarbage) {
  std::mt19937_64 random(5);
  const auto mangle = [&](std::string text) {
    text.resize(random() % (text.size() + 1));
    for (auto n = random() % 20; n > 0 && !text.empty(); --n) {
      text[random() % text.size()] = static_cast<char>(random() % 256);
    }
    return text;
  };
  const Node node;
  node.add_port("mlx5_0", "InfiniBand", 3);
  CounterReader reader = node.reader();
  for (int i = 0; i < 500; ++i) {
    node.write("proc/net/dev", mangle(test_data("proc_net_dev.txt")));
    node.write("proc/net/snmp", mangle(test_data("proc_net_snmp.txt")));
    node.write("proc/net/netstat", mangle(test_data("proc_net_netstat.txt")));
    node.write("ib/mlx5_0/ports/1/counters/symbol_error", mangle("12345678\n"));
    if (i % 10 == 0) {
      node.write("ib/mlx5_0/ports/1/state", mangle("4: ACTIVE\n"));
      node.write("ib/mlx5_0/ports/1/link_layer", mangle("InfiniBand\n"));
      node.write("ib/mlx5_0/ports/1/gid_attrs/ndevs/0", mangle("ens5f1np1\n"));
    }
    reader.read();
    node.reader().read();
  }
}

}  // namespace
}  // namespace busbar
