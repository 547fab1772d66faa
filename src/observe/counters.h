// What passed through this node's network interfaces, and what went wrong on the way.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "observe/file.h"
#include "observe/nic.h"

namespace busbar {

/// What can spoil a sample, gathered from all sources that count it. The comment gives Ethernet's and TCP's;
/// InfiniBand's.
enum class Fault : std::uint8_t {
  drops,            ///< dropped by a NIC or for want of memory; port_xmit_discards
  errors,           ///< damaged packets; port_rcv_errors
  overruns,         ///< a NIC's FIFO; excessive_buffer_overrun_errors
  retransmits,      ///< TCP segments sent again
  timeouts,         ///< TCP's retransmission timer, 200 ms at least; local_ack_timeout_err
  ecn_marks,        ///< packets marked "congestion experienced"; np_ecn_marked_roce_packets
  symbol_errors,    ///< none; symbol_error
  link_downs,       ///< none; link_downed and link_error_recovery
  out_of_sequence,  ///< none; out_of_sequence and packet_seq_err
};
inline constexpr std::size_t fault_count = 9;

/// The fault's name in the record.
std::string_view name(Fault fault);

/// Counters at one moment, or their growth between two. A figure that no source gives is none, not 0.
struct Counters {
  /// Bytes of whole frames without preamble, checksum and gap, on all interfaces but `lo` and stacked ones, plus
  /// InfiniBand's and RoCE's.
  std::optional<std::uint64_t> tx_bytes;
  std::optional<std::uint64_t> rx_bytes;
  std::array<std::optional<std::uint64_t>, fault_count> faults{};

  std::optional<std::uint64_t> of(Fault fault) const { return faults[static_cast<std::size_t>(fault)]; }
};

/// The growth; none for what either lacks and for what went backwards (a driver was reset: the difference says
/// nothing).
Counters operator-(const Counters& later, const Counters& earlier);
/// Whether any fault of a growth is above 0.
bool any_fault(const Counters& growth);

/// Where to look. An empty `infiniband` means: do not look there.
struct CounterSources {
  std::string proc = "/proc";
  std::string infiniband = "/sys/class/infiniband";
  NicQuery nic = ask_kernel_for_nic;
};

/// Keeps the files open. The interfaces are those of this process's network namespace at construction; one that comes
/// later is not counted, one that goes leaves the bytes and faults of interfaces unknown.
///
/// `read_quick` takes some 30 µs of processor time, `read` some 90 µs and, on nodes with InfiniBand, one query to the
/// adapter for each counter of each port. hw_counters may be 10 ms old: the kernel caches them.
class CounterReader {
 public:
  explicit CounterReader(const CounterSources& sources = {});
  /// All counters now, for the ends of a block. Never throws for what files contain; one that cannot be understood
  /// counts as missing.
  Counters read();
  /// Only what is cheap enough to be read between samples: faults of interfaces, retransmits, and bytes where there is
  /// no InfiniBand port; the rest is none. To be compared with another quick reading.
  Counters read_quick();

 private:
  /// What sources add up to: none where no source counts it, and none where one that did is lost, since the growth of a
  /// partial sum would mislead.
  struct Sum {
    std::uint64_t value = 0;
    bool counted = false;
    bool lost = false;
    void add(std::optional<std::uint64_t> count, std::uint64_t unit = 1);
    std::optional<std::uint64_t> result() const { return counted && !lost ? std::optional{value} : std::nullopt; }
  };
  /// One for each fault, then one each for the bytes sent and received.
  using Sums = std::array<Sum, fault_count + 2>;

  struct PortFile {
    ReadableFile file;
    std::size_t target;  // which of the sums, and
    std::uint64_t unit;  // what one count adds to it
  };

  void find_ports(const std::string& infiniband);
  void choose_interfaces(const CounterSources& sources);
  void add_interfaces(Sums& sums);
  void add_retransmits(Sums& sums);
  void add_congestion(Sums& sums);
  void add_ports(Sums& sums);
  static Counters result(const Sums& sums);

  ReadableFile dev_;
  ReadableFile snmp_;
  ReadableFile netstat_;
  std::vector<std::string> interfaces_;
  std::vector<PortFile> ports_;
  bool has_infiniband_link_ = false;
  std::string buffer_;
};

/// One interface's line of /proc/net/dev.
struct InterfaceCounters {
  std::string_view name;
  std::uint64_t rx_bytes, tx_bytes;
  std::uint64_t errors, drops, overruns;  ///< of both directions
};
/// None for a header line and for anything that is not such a line.
std::optional<InterfaceCounters> parse_interface(std::string_view line);

/// A value of /proc/net/snmp or netstat: pairs of lines, names above values, each begun by `protocol` and a colon. None
/// where it is missing, negative, or its line is cut.
std::optional<std::uint64_t> snmp_value(std::string_view text, std::string_view protocol, std::string_view key);

}  // namespace busbar
