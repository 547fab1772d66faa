// The ports through which this host can do RDMA: InfiniBand, and Ethernet with RoCE. From /sys/class/infiniband.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace busbar {

/// One port of one device. What the kernel does not tell is none; texts are the kernel's own.
struct RdmaPort {
  std::string device;  ///< such as "mlx5_0"
  int port = 1;
  std::optional<std::string> kind;            ///< "InfiniBand", "RoCE" or "iWARP"; none for others, such as EFA
  std::optional<std::string> link_layer;      ///< "InfiniBand" or "Ethernet"
  std::optional<std::string> state;           ///< "ACTIVE", "DOWN", …
  std::optional<std::string> physical_state;  ///< "LinkUp", "Polling", "Disabled", …
  std::optional<std::string> rate;            ///< "400 Gb/sec (4X NDR)"
  std::optional<std::string> lid;             ///< "0x1c"; "0x0" on Ethernet
  std::optional<std::string> netdev;          ///< the interface on the same port: Ethernet, or IP over InfiniBand
  std::optional<std::string> pci_address;     ///< none for a software device (rxe, siw)
  std::optional<int> numa_node;               ///< none too where the machine has one alone
  std::optional<std::string> model;           ///< hca_type, such as "MT4129"
  std::optional<std::string> firmware;        ///< fw_ver
  std::optional<std::string> node_guid;       ///< of the device
  std::optional<std::string> sys_image_guid;  ///< equal for the devices of one card
  /// Whether the interface's own byte counters hold RDMA too. So it is in switchdev mode, where the interface stands
  /// for the physical port (mlx5's uplink representor); otherwise it counts what passed the kernel's network stack.
  bool netdev_counts_all = false;

  bool is_active() const { return state == "ACTIVE"; }
  bool is_software() const { return !pci_address; }
};

/// In the order of devices and ports by name; empty where there are none.
std::vector<RdmaPort> rdma_ports(const std::string& sys_class_infiniband = "/sys/class/infiniband");

}  // namespace busbar
