#include "observe/rdma.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <string_view>
#include <system_error>

#include "observe/file.h"

namespace busbar {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> children(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (auto it = fs::directory_iterator(folder, error); !error && it != fs::directory_iterator(); it.increment(error)) {
    found.push_back(it->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// None for what a record could not hold: driver and firmware put these texts together.
std::optional<std::string> text_of(const fs::path& file) {
  auto text = read_text(file);
  const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
  if (!text || text->empty() || !std::all_of(text->begin(), text->end(), printable)) return std::nullopt;
  return text;
}

std::optional<int> number_of(const fs::path& file) {
  const auto text = read_text(file);
  const auto number = text ? parse_number(*text) : std::nullopt;
  if (!number || *number > static_cast<std::uint64_t>(std::numeric_limits<int>::max())) return std::nullopt;
  return static_cast<int>(*number);
}

/// The word of "4: ACTIVE".
std::optional<std::string> word_of(const fs::path& file) {
  const auto text = text_of(file);
  const std::size_t colon = text ? text->find(": ") : std::string::npos;
  if (colon == std::string::npos) return std::nullopt;
  return text->substr(colon + 2);
}

/// From the link layer and the device's type: "1: CA" talks InfiniBand's transport, "4: RNIC" iWARP.
std::optional<std::string> kind_of(const std::optional<std::string>& link_layer, const fs::path& device) {
  const auto type = text_of(device / "node_type");
  if (type && type->starts_with("4:")) return "iWARP";
  if (link_layer == "InfiniBand") return "InfiniBand";
  if (link_layer == "Ethernet" && type && type->starts_with("1:")) return "RoCE";
  return std::nullopt;
}

/// On Ethernet the table of addresses names it (entry 0 is the port's own, later ones may be VLANs). On InfiniBand that
/// has no names; there it is the device's interface with the port's number.
std::optional<std::string> netdev_of(const fs::path& device, const fs::path& port, int number) {
  for (const fs::path& entry : children(port / "gid_attrs" / "ndevs")) {
    if (auto name = text_of(entry)) return name;
  }
  for (const fs::path& interface : children(device / "device" / "net")) {
    if (number_of(interface / "dev_port") == number - 1) return interface.filename().string();
  }
  return std::nullopt;
}

std::optional<std::string> pci_address_of(const fs::path& device) {
  std::error_code error;
  const fs::path bus = fs::canonical(device / "device", error);
  if (error) return std::nullopt;
  return bus.filename().string();
}

RdmaPort read_port(const fs::path& device, const fs::path& port, int number) {
  RdmaPort found;
  found.device = device.filename().string();
  found.port = number;
  found.link_layer = text_of(port / "link_layer");
  found.kind = kind_of(found.link_layer, device);
  found.state = word_of(port / "state");
  found.physical_state = word_of(port / "phys_state");
  found.rate = text_of(port / "rate");
  found.lid = text_of(port / "lid");
  found.netdev = netdev_of(device, port, number);
  found.pci_address = pci_address_of(device);
  found.numa_node = number_of(device / "device" / "numa_node");
  found.model = text_of(device / "hca_type");
  found.firmware = text_of(device / "fw_ver");
  found.node_guid = text_of(device / "node_guid");
  found.sys_image_guid = text_of(device / "sys_image_guid");
  // Readable in switchdev mode only.
  if (found.netdev)
    found.netdev_counts_all = text_of(device / "device" / "net" / *found.netdev / "phys_switch_id").has_value();
  return found;
}

}  // namespace

std::vector<RdmaPort> rdma_ports(const std::string& sys_class_infiniband) {
  std::vector<RdmaPort> found;
  for (const fs::path& device : children(sys_class_infiniband)) {
    for (const fs::path& port : children(device / "ports")) {
      const auto number = parse_number(port.filename().string());
      if (number && *number <= 255) found.push_back(read_port(device, port, static_cast<int>(*number)));
    }
  }
  return found;
}

}  // namespace busbar
