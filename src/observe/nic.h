// The network interfaces of this process's own network namespace.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace busbar {

struct Nic {
  std::string name;
  /// Line rate as the driver gives it; none where it is unknown or made up (a veth claims 10 Gbit/s).
  std::optional<std::int64_t> speed_mbps;
  std::optional<int> mtu;
  std::optional<std::string> driver;
  bool infiniband = false;  ///< IP over InfiniBand: its traffic shows in the port's own counters too

  /// Lies on top of other interfaces (bond, bridge, VLAN, …), so that its bytes are counted there already.
  bool is_stacked() const;
};

/// Tells about the interface of that name. Replaced in tests.
using NicQuery = std::function<Nic(const std::string& name)>;

/// Asks the kernel, by ioctl: /sys/class/net shows the namespace in which /sys was mounted, which need not be this one.
Nic ask_kernel_for_nic(const std::string& name);

/// The names in the text of /proc/net/dev, which is always of this namespace; without `lo`.
std::vector<std::string> nic_names(std::string_view proc_net_dev);

}  // namespace busbar
