#include "observe/nic.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <new>

#include "observe/file.h"

namespace busbar {
namespace {

// Any socket carries interface requests.
class Socket {
 public:
  Socket() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  bool ask(unsigned long what, ifreq& request) const { return fd_ >= 0 && ioctl(fd_, what, &request) == 0; }

  template <class T>
  bool ask_driver(ifreq request, T& command) const {
    request.ifr_data = reinterpret_cast<char*>(&command);
    return ask(SIOCETHTOOL, request);
  }

 private:
  int fd_;
};

ifreq request_for(const std::string& name) {
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  return request;
}

// The link settings end in bit masks of a length that the kernel tells in a first call: room for the most it can ask.
struct LinkSettings {
  alignas(ethtool_link_settings) std::array<std::byte, sizeof(ethtool_link_settings) + 3 * 127 * sizeof(__u32)> raw{};

  ethtool_link_settings& ask(const Socket& kernel, const ifreq& request, int mask_words, bool& answered) {
    auto* head = new (raw.data()) ethtool_link_settings{};
    head->cmd = ETHTOOL_GLINKSETTINGS;
    head->link_mode_masks_nwords = static_cast<__s8>(mask_words);
    answered = kernel.ask_driver(request, *head);
    return *head;
  }
};

std::optional<std::int64_t> speed_of(const Socket& kernel, const ifreq& request) {
  LinkSettings link;
  bool answered = false;
  const int wanted = link.ask(kernel, request, 0, answered).link_mode_masks_nwords;
  if (!answered || wanted >= 0) return std::nullopt;  // it answers with the length it wants, negative
  const __u32 speed = link.ask(kernel, request, -wanted, answered).speed;
  if (!answered || speed == 0 || speed == static_cast<__u32>(SPEED_UNKNOWN)) return std::nullopt;
  return speed;
}

template <std::size_t N>
std::string text_of(const char (&field)[N]) {
  return {field, strnlen(field, N)};
}

}  // namespace

bool Nic::is_stacked() const {
  // The drivers' names as the kernel's sources give them. Tunnels and ifb too: their packets pass through another one.
  constexpr std::array<std::string_view, 10> stacked{"bonding", "team",  "bridge", "802.1Q VLAN Support", "macvlan",
                                                     "ipvlan",  "vxlan", "tun",    "wireguard",           "ifb"};
  return driver && std::find(stacked.begin(), stacked.end(), *driver) != stacked.end();
}

Nic ask_kernel_for_nic(const std::string& name) {
  Nic nic{.name = name, .speed_mbps = {}, .mtu = {}, .driver = {}};
  const Socket kernel;
  ifreq request = request_for(name);
  if (kernel.ask(SIOCGIFMTU, request)) nic.mtu = request.ifr_mtu;
  request = request_for(name);
  if (kernel.ask(SIOCGIFHWADDR, request)) nic.infiniband = request.ifr_hwaddr.sa_family == ARPHRD_INFINIBAND;
  request = request_for(name);
  ethtool_drvinfo info{};
  info.cmd = ETHTOOL_GDRVINFO;
  if (!kernel.ask_driver(request, info)) return nic;
  nic.driver = text_of(info.driver);
  // A device on no bus is software, and its speed a figure of speech.
  const std::string bus = text_of(info.bus_info);
  if (!bus.empty() && bus != "N/A") nic.speed_mbps = speed_of(kernel, request);
  return nic;
}

std::vector<std::string> nic_names(std::string_view proc_net_dev) {
  std::vector<std::string> names;
  while (!proc_net_dev.empty()) {
    std::string_view line = take_line(proc_net_dev);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;  // the two header lines
    line = line.substr(0, colon);
    const std::string_view name = take_word(line);
    if (!name.empty() && name != "lo" && name.size() < IFNAMSIZ) names.emplace_back(name);
  }
  return names;
}

}  // namespace busbar
