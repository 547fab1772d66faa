#include "observe/counters.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace busbar {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t to_tx = fault_count;  // where a port's file counts bytes, not faults
constexpr std::size_t to_rx = fault_count + 1;

struct PortCounter {
  std::string_view path;
  std::size_t target;
  std::uint64_t unit;
};

constexpr std::size_t to(Fault fault) { return static_cast<std::size_t>(fault); }

// Below a port's folder. The data counters count in words of four bytes (IBA specification, PortCounters).
constexpr std::array<PortCounter, 12> port_counters{{
    {"counters/port_xmit_data", to_tx, 4},
    {"counters/port_rcv_data", to_rx, 4},
    {"counters/port_xmit_discards", to(Fault::drops), 1},
    {"counters/port_rcv_errors", to(Fault::errors), 1},
    {"counters/excessive_buffer_overrun_errors", to(Fault::overruns), 1},
    {"counters/symbol_error", to(Fault::symbol_errors), 1},
    {"counters/link_downed", to(Fault::link_downs), 1},
    {"counters/link_error_recovery", to(Fault::link_downs), 1},
    {"hw_counters/local_ack_timeout_err", to(Fault::timeouts), 1},
    {"hw_counters/np_ecn_marked_roce_packets", to(Fault::ecn_marks), 1},
    {"hw_counters/out_of_sequence", to(Fault::out_of_sequence), 1},
    {"hw_counters/packet_seq_err", to(Fault::out_of_sequence), 1},
}};

std::vector<fs::path> children(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (auto it = fs::directory_iterator(folder, error); !error && it != fs::directory_iterator(); it.increment(error)) {
    found.push_back(it->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

std::string_view name(Fault fault) {
  constexpr std::array<std::string_view, fault_count> names{"drops",         "errors",     "overruns",
                                                            "retransmits",   "timeouts",   "ecn_marks",
                                                            "symbol_errors", "link_downs", "out_of_sequence"};
  return names.at(to(fault));
}

Counters operator-(const Counters& later, const Counters& earlier) {
  const auto growth = [](std::optional<std::uint64_t> b, std::optional<std::uint64_t> a) {
    return a && b && *b >= *a ? std::optional{*b - *a} : std::nullopt;
  };
  Counters difference;
  difference.tx_bytes = growth(later.tx_bytes, earlier.tx_bytes);
  difference.rx_bytes = growth(later.rx_bytes, earlier.rx_bytes);
  for (std::size_t i = 0; i < fault_count; ++i) difference.faults[i] = growth(later.faults[i], earlier.faults[i]);
  return difference;
}

bool any_fault(const Counters& growth) {
  return std::any_of(growth.faults.begin(), growth.faults.end(), [](const auto& n) { return n.value_or(0) > 0; });
}

CounterReader::CounterReader(const CounterSources& sources)
    : dev_(sources.proc + "/net/dev"), snmp_(sources.proc + "/net/snmp"), netstat_(sources.proc + "/net/netstat") {
  if (!sources.infiniband.empty()) find_ports(sources.infiniband);
  choose_interfaces(sources);
}

void CounterReader::find_ports(const std::string& infiniband) {
  for (const fs::path& device : children(infiniband)) {
    for (const fs::path& port : children(device / "ports")) {
      if (read_text(port / "link_layer") == "InfiniBand") has_infiniband_link_ = true;
      for (const PortCounter& counter : port_counters) {
        ReadableFile file(port / counter.path);
        if (file.is_open()) ports_.push_back({std::move(file), counter.target, counter.unit});
      }
    }
  }
}

// Each byte once: not where it also shows on an interface below, nor in an InfiniBand port's own counters (which hold
// IP over InfiniBand; under RoCE they hold RDMA only, and the Ethernet interface the rest).
void CounterReader::choose_interfaces(const CounterSources& sources) {
  const auto text = dev_.read(buffer_);
  if (!text) return;
  for (const std::string& nic_name : nic_names(*text)) {
    const Nic nic = sources.nic(nic_name);
    const bool counted_elsewhere = nic.is_stacked() || (nic.infiniband && has_infiniband_link_);
    if (!counted_elsewhere) interfaces_.push_back(nic_name);
  }
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
  sums[to_tx].lost = sums[to_rx].lost = !ports_.empty();
  return result(sums);
}

void CounterReader::Sum::add(std::optional<std::uint64_t> count, std::uint64_t unit) {
  counted = true;
  lost = lost || !count;
  value += count.value_or(0) * unit;
}

Counters CounterReader::result(const Sums& sums) {
  Counters counters;
  counters.tx_bytes = sums[to_tx].result();
  counters.rx_bytes = sums[to_rx].result();
  for (std::size_t i = 0; i < fault_count; ++i) counters.faults[i] = sums[i].result();
  return counters;
}

void CounterReader::add_interfaces(Sums& sums) {
  if (!dev_.is_open()) return;
  InterfaceCounters all{};
  std::size_t found = 0;
  for (std::string_view rest = dev_.read(buffer_).value_or(""); !rest.empty();) {
    const auto one = parse_interface(take_line(rest));
    if (!one || std::find(interfaces_.begin(), interfaces_.end(), one->name) == interfaces_.end()) continue;
    ++found;
    all.rx_bytes += one->rx_bytes;
    all.tx_bytes += one->tx_bytes;
    all.errors += one->errors;
    all.drops += one->drops;
    all.overruns += one->overruns;
  }
  const bool complete = found == interfaces_.size();
  const auto known = [&](std::uint64_t count) { return complete ? std::optional{count} : std::nullopt; };
  sums[to_rx].add(known(all.rx_bytes));
  sums[to_tx].add(known(all.tx_bytes));
  sums[to(Fault::errors)].add(known(all.errors));
  sums[to(Fault::drops)].add(known(all.drops));
  sums[to(Fault::overruns)].add(known(all.overruns));
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

void CounterReader::add_ports(Sums& sums) {
  for (const PortFile& port : ports_) {
    std::string_view text = port.file.read(buffer_).value_or("");
    std::string_view line = take_line(text);
    sums[port.target].add(parse_number(take_word(line)), port.unit);
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
