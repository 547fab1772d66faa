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
  // A port whose every counter is `value`.
  void add_port(const std::string& device, const std::string& link_layer, int value) const {
    const std::string port = "ib/" + device + "/ports/1/";
    write(port + "link_layer", link_layer + "\n");
    for (const char* counter :
         {"counters/port_xmit_data", "counters/port_rcv_data", "counters/symbol_error", "counters/link_downed",
          "counters/port_xmit_discards", "hw_counters/out_of_sequence", "hw_counters/packet_seq_err"}) {
      write(port + counter, std::to_string(value) + "\n");
    }
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
}

TEST(Counters, OfRoceAddToTheEthernetInterface) {
  const Node node;
  node.add_port("mlx5_0", "Ethernet", 10);
  EXPECT_EQ(node.reader().read().tx_bytes, 500'300U + 8'888U + 40U);
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
  EXPECT_EQ(name(Fault::out_of_sequence), "out_of_sequence");
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
    reader.read();
    node.reader().read();
  }
}

}  // namespace
}  // namespace busbar
