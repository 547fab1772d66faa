#include "observe/counters.h"

#include <algorithm>
#include <utility>

namespace busbar {
namespace {

constexpr std::size_t to(Fault fault) { return static_cast<std::size_t>(fault); }
constexpr std::size_t to(Congestion sign) { return fault_count + static_cast<std::size_t>(sign); }
constexpr std::size_t to_tx = fault_count + congestion_count;
constexpr std::size_t to_rx = to_tx + 1;

struct PortCounter {
  std::string_view path;
  std::size_t target;
  std::uint64_t unit = 1;
  std::uint64_t stops_at = 0;
};

constexpr std::uint64_t full(unsigned bits) { return (std::uint64_t{1} << bits) - 1; }

// Below a port's folder. Those in counters/ are the IBA specification's PortCounters: data in words of four bytes
// (Linux, Documentation/ABI/stable/sysfs-class-infiniband), and of few bits, at whose largest value they stay. Data
// counters have 64 bits, or 32 where an adapter lacks the extended ones. Those in hw_counters/ are the driver's and
// have 64.
constexpr std::array<PortCounter, 17> port_counters{{
    {"counters/port_xmit_data", to_tx, 4, full(32)},
    {"counters/port_rcv_data", to_rx, 4, full(32)},
    {"counters/port_xmit_discards", to(Fault::drops), 1, full(16)},
    {"counters/port_rcv_errors", to(Fault::errors), 1, full(16)},
    {"counters/excessive_buffer_overrun_errors", to(Fault::overruns), 1, full(4)},
    {"counters/symbol_error", to(Fault::symbol_errors), 1, full(16)},
    {"counters/link_downed", to(Fault::link_downs), 1, full(8)},
    {"counters/link_error_recovery", to(Fault::link_downs), 1, full(8)},
    {"counters/local_link_integrity_errors", to(Fault::link_integrity), 1, full(4)},
    {"counters/port_xmit_wait", to(Congestion::xmit_wait), 1, full(32)},
    {"hw_counters/local_ack_timeout_err", to(Fault::timeouts)},
    {"hw_counters/np_ecn_marked_roce_packets", to(Fault::ecn_marks)},
    {"hw_counters/out_of_sequence", to(Fault::out_of_sequence)},
    {"hw_counters/packet_seq_err", to(Fault::out_of_sequence)},
    {"hw_counters/rnr_nak_retry_err", to(Fault::rnr_retries)},
    {"hw_counters/np_cnp_sent", to(Congestion::cnps_sent)},
    {"hw_counters/rp_cnp_handled", to(Congestion::cnps_handled)},
}};

constexpr bool is_bytes(std::size_t target) { return target >= to_tx; }

}  // namespace

std::string_view name(Fault fault) {
  constexpr std::array<std::string_view, fault_count> names{
      "drops",         "errors",     "overruns",        "retransmits",           "timeouts",   "ecn_marks",
      "symbol_errors", "link_downs", "out_of_sequence", "link_integrity_errors", "rnr_retries"};
  return names.at(to(fault));
}

std::string_view name(Congestion congestion) {
  constexpr std::array<std::string_view, congestion_count> names{"xmit_wait_ticks", "cnps_sent", "cnps_handled"};
  return names.at(static_cast<std::size_t>(congestion));
}

Counters operator-(const Counters& later, const Counters& earlier) {
  const auto growth = [&](std::size_t target, std::optional<std::uint64_t> b, std::optional<std::uint64_t> a) {
    const bool sound = a && b && *b >= *a && later.resets[target] == earlier.resets[target];
    return sound ? std::optional{*b - *a} : std::nullopt;
  };
  Counters difference;
  difference.tx_bytes = growth(to_tx, later.tx_bytes, earlier.tx_bytes);
  difference.rx_bytes = growth(to_rx, later.rx_bytes, earlier.rx_bytes);
  for (std::size_t i = 0; i < fault_count; ++i) difference.faults[i] = growth(i, later.faults[i], earlier.faults[i]);
  for (std::size_t i = 0; i < congestion_count; ++i) {
    difference.congestion[i] = growth(fault_count + i, later.congestion[i], earlier.congestion[i]);
  }
  return difference;
}

bool any_fault(const Counters& growth) {
  return std::any_of(growth.faults.begin(), growth.faults.end(), [](const auto& n) { return n.value_or(0) > 0; });
}

CounterReader::CounterReader(const CounterSources& sources)
    : dev_(sources.proc + "/net/dev"), snmp_(sources.proc + "/net/snmp"), netstat_(sources.proc + "/net/netstat") {
  const auto ports = sources.infiniband.empty() ? std::vector<RdmaPort>{} : rdma_ports(sources.infiniband);
  choose_interfaces(sources, ports);
  choose_ports(sources.infiniband, ports);
}

// Each byte once: not where it also shows on an interface below, nor IP over InfiniBand, which an InfiniBand port's own
// counters hold.
void CounterReader::choose_interfaces(const CounterSources& sources, const std::vector<RdmaPort>& ports) {
  const bool has_infiniband =
      std::any_of(ports.begin(), ports.end(), [](const RdmaPort& port) { return port.link_layer == "InfiniBand"; });
  const auto text = dev_.read(buffer_);
  if (!text) return;
  for (const std::string& nic_name : nic_names(*text)) {
    const Nic nic = sources.nic(nic_name);
    const bool counted_elsewhere = nic.is_stacked() || (nic.infiniband && has_infiniband);
    if (!counted_elsewhere) interfaces_.push_back({.name = nic_name});
  }
}

// Under RoCE a port's data counters hold RDMA alone and the interface what passed the kernel: mlx5 takes the former
// from the function's counters of InfiniBand traffic (drivers/infiniband/hw/mlx5/mad.c), the latter from its own queues
// (mlx5e_get_stats in en_main.c). So both are added, but where the interface stands for the physical port and counts
// all. A software device's packets pass an interface. One that says nothing of what passes it, and is up, leaves the
// node's bytes unknown.
void CounterReader::choose_ports(const std::string& infiniband, const std::vector<RdmaPort>& ports) {
  for (const RdmaPort& port : ports) {
    if (port.is_software()) continue;
    const std::string port_name = port.device + "/" + std::to_string(port.port);
    const std::string folder = infiniband + "/" + port.device + "/ports/" + std::to_string(port.port) + "/";
    const bool on_interface = port.netdev_counts_all && port.netdev && counts(*port.netdev);
    std::size_t directions = 0;
    for (const PortCounter& counter : port_counters) {
      if (is_bytes(counter.target) && on_interface) continue;
      PortFile file{ReadableFile(folder + std::string(counter.path)), counter.target, counter.unit, counter.stops_at};
      if (!file.file.is_open() || !read_port(file)) continue;  // "N/A (no PMA)" is no counter
      if (is_bytes(counter.target)) ++directions;
      ports_.push_back(std::move(file));
    }
    if (directions > 0) port_names_.push_back(port_name);
    if (directions < 2 && !on_interface && port.is_active()) hidden_bytes_ = true;
  }
}

bool CounterReader::counts(const std::string& interface) const {
  return std::any_of(interfaces_.begin(), interfaces_.end(), [&](const Interface& i) { return i.name == interface; });
}

std::vector<std::string> CounterReader::byte_sources() const {
  if (hidden_bytes_) return {};
  std::vector<std::string> names;
  for (const Interface& interface : interfaces_) names.push_back(interface.name);
  names.insert(names.end(), port_names_.begin(), port_names_.end());
  return names;
}

Counters CounterReader::read() {
  Sums sums;
  add_interfaces(sums);
  add_retransmits(sums);
  add_congestion(sums);
  add_ports(sums);
  return result(sums);
}

Counters CounterReader::read_quick() {
  Sums sums;
  add_interfaces(sums);
  add_retransmits(sums);
  if (!port_names_.empty()) sums[to_tx].lost = sums[to_rx].lost = true;
  return result(sums);
}

void CounterReader::Sum::add(std::optional<std::uint64_t> count, std::uint64_t unit) {
  counted = true;
  lost = lost || !count;
  value += count.value_or(0) * unit;
}

Counters CounterReader::result(const Sums& sums) const {
  const auto known = [&](std::size_t target) {
    return is_bytes(target) && hidden_bytes_ ? std::nullopt : sums[target].result();
  };
  Counters counters;
  counters.tx_bytes = known(to_tx);
  counters.rx_bytes = known(to_rx);
  for (std::size_t i = 0; i < fault_count; ++i) counters.faults[i] = known(i);
  for (std::size_t i = 0; i < congestion_count; ++i) counters.congestion[i] = known(fault_count + i);
  counters.resets = resets_;
  return counters;
}

void CounterReader::notice(std::size_t target, std::uint64_t now, std::uint64_t& last) {
  if (now < last) ++resets_[target];
  last = now;
}

void CounterReader::add_interfaces(Sums& sums) {
  constexpr std::array targets{to_rx, to_tx, to(Fault::errors), to(Fault::drops), to(Fault::overruns)};
  if (!dev_.is_open()) return;
  std::array<std::uint64_t, targets.size()> all{};
  std::size_t found = 0;
  for (std::string_view rest = dev_.read(buffer_).value_or(""); !rest.empty();) {
    const auto one = parse_interface(take_line(rest));
    if (!one) continue;
    const auto ours = std::find_if(interfaces_.begin(), interfaces_.end(),
                                   [&](const Interface& interface) { return interface.name == one->name; });
    if (ours == interfaces_.end()) continue;
    ++found;
    const std::array counts{one->rx_bytes, one->tx_bytes, one->errors, one->drops, one->overruns};
    for (std::size_t i = 0; i < targets.size(); ++i) {
      notice(targets[i], counts[i], ours->last[i]);
      all[i] += counts[i];
    }
  }
  const bool complete = found == interfaces_.size();
  for (std::size_t i = 0; i < targets.size(); ++i) {
    sums[targets[i]].add(complete ? std::optional{all[i]} : std::nullopt);
  }
}

void CounterReader::add_retransmits(Sums& sums) {
  if (const auto text = snmp_.read(buffer_)) sums[to(Fault::retransmits)].add(snmp_value(*text, "Tcp", "RetransSegs"));
}

// The kernel takes 50 µs to write this file.
void CounterReader::add_congestion(Sums& sums) {
  const auto text = netstat_.read(buffer_);
  if (!text) return;
  sums[to(Fault::timeouts)].add(snmp_value(*text, "TcpExt", "TCPTimeouts"));
  sums[to(Fault::ecn_marks)].add(snmp_value(*text, "IpExt", "InCEPkts"));
}

std::optional<std::uint64_t> CounterReader::read_port(const PortFile& port) {
  std::string_view text = port.file.read(buffer_).value_or("");
  std::string_view line = take_line(text);
  return parse_number(take_word(line));
}

void CounterReader::add_ports(Sums& sums) {
  for (PortFile& port : ports_) {
    auto count = read_port(port);
    if (count) notice(port.target, *count, port.last);
    if (port.stops_at != 0 && count == port.stops_at) count.reset();  // it is full, and what came since is not in it
    sums[port.target].add(count, port.unit);
  }
}

std::optional<InterfaceCounters> parse_interface(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view head = line.substr(0, colon);
  line.remove_prefix(colon + 1);
  std::array<std::uint64_t, 16> field{};  // eight of what was received, eight of what was sent
  for (auto& value : field) {
    const auto number = parse_number(take_word(line));
    if (!number) return std::nullopt;
    value = *number;
  }
  // bytes packets errs drop fifo … in either direction
  return InterfaceCounters{.name = take_word(head),
                           .rx_bytes = field[0],
                           .tx_bytes = field[8],
                           .errors = field[2] + field[10],
                           .drops = field[3] + field[11],
                           .overruns = field[4] + field[12]};
}

std::optional<std::uint64_t> snmp_value(std::string_view text, std::string_view protocol, std::string_view key) {
  const auto take_head = [&](std::string_view& line) {
    const std::string_view head = take_word(line);
    return head.size() == protocol.size() + 1 && head.back() == ':' && head.starts_with(protocol);
  };
  while (!text.empty()) {
    std::string_view names = take_line(text);
    if (!take_head(names)) continue;
    std::string_view values = take_line(text);
    if (!take_head(values)) return std::nullopt;
    while (!names.empty()) {
      const bool here = take_word(names) == key;
      const std::string_view value = take_word(values);
      if (here) return parse_number(value);
    }
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace busbar
