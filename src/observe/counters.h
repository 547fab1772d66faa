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
#include "observe/rdma.h"

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
  link_integrity,   ///< none; local_link_integrity_errors
  rnr_retries,      ///< none; rnr_nak_retry_err: the receiver was not ready
};
inline constexpr std::size_t fault_count = 11;

/// The fault's name in the record.
std::string_view name(Fault fault);

/// What says that links were full, which under load they may be: no fault.
enum class Congestion : std::uint8_t {
  xmit_wait,    ///< ticks in which a port had data to send and no credits (port_xmit_wait)
  cnps_sent,    ///< RoCE: notices sent to those whose packets came marked (np_cnp_sent)
  cnps_handled  ///< RoCE: notices received, each of which slows a sender (rp_cnp_handled)
};
inline constexpr std::size_t congestion_count = 3;

/// Its name in the record.
std::string_view name(Congestion congestion);

/// One for each fault, one for each sign of congestion, then one each for the bytes sent and received.
inline constexpr std::size_t counter_count = fault_count + congestion_count + 2;

/// Counters at one moment, or their growth between two. A figure that no source gives is none, not 0.
struct Counters {
  /// Bytes of whole frames without preamble, checksum and gap, on all interfaces but `lo` and stacked ones, plus
  /// InfiniBand's and RoCE's.
  std::optional<std::uint64_t> tx_bytes;
  std::optional<std::uint64_t> rx_bytes;
  std::array<std::optional<std::uint64_t>, fault_count> faults{};
  std::array<std::optional<std::uint64_t>, congestion_count> congestion{};
  /// How often a source of each went backwards so far: one port's reset hides in the sum of many.
  std::array<std::uint32_t, counter_count> resets{};

  std::optional<std::uint64_t> of(Fault fault) const { return faults[static_cast<std::size_t>(fault)]; }
  std::optional<std::uint64_t> of(Congestion sign) const { return congestion[static_cast<std::size_t>(sign)]; }
};

/// The growth; none for what either lacks and for what went backwards in between, as a whole or in one of its sources
/// (a driver was reset, or a counter wrapped: the difference says nothing).
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
  /// What the bytes are the sum of: interfaces by name, RDMA ports as "mlx5_0/1"; empty where a part of them cannot be
  /// counted, so that there is no sum.
  std::vector<std::string> byte_sources() const;
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
  using Sums = std::array<Sum, counter_count>;

  struct Interface {
    std::string name;
    std::array<std::uint64_t, 5> last{};
  };
  struct PortFile {
    ReadableFile file;
    std::size_t target;      // which of the sums,
    std::uint64_t unit;      // what one count adds to it, and
    std::uint64_t stops_at;  // where the counter stays when it is full; 0: it does not
    std::uint64_t last = 0;  // what it said
  };

  void choose_interfaces(const CounterSources& sources, const std::vector<RdmaPort>& ports);
  void choose_ports(const std::string& infiniband, const std::vector<RdmaPort>& ports);
  bool counts(const std::string& interface) const;
  std::optional<std::uint64_t> read_port(const PortFile& port);
  void notice(std::size_t target, std::uint64_t now, std::uint64_t& last);
  void add_interfaces(Sums& sums);
  void add_retransmits(Sums& sums);
  void add_congestion(Sums& sums);
  void add_ports(Sums& sums);
  Counters result(const Sums& sums) const;

  ReadableFile dev_;
  ReadableFile snmp_;
  ReadableFile netstat_;
  std::vector<Interface> interfaces_;
  std::vector<PortFile> ports_;
  std::vector<std::string> port_names_;  // those whose bytes are counted
  bool hidden_bytes_ = false;            // a port is active that does not say what passes it
  std::array<std::uint32_t, counter_count> resets_{};
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
