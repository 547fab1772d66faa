#include "transport/nccl/observation.h"

#include <fmt/format.h>

#include <string>

namespace busbar::nccl {
namespace {

/// One value that all agree on.
template <class Value>
class Agreed {
 public:
  void add(const std::optional<Value>& value) {
    if (first_ && value != value_) differs_ = true;
    if (!first_) value_ = value;
    first_ = true;
  }
  std::optional<Value> get() const { return differs_ ? std::nullopt : value_; }

 private:
  bool first_ = false;
  bool differs_ = false;
  std::optional<Value> value_;
};

std::optional<std::string> known_text(const char* text) {
  return *text == '\0' ? std::nullopt : std::optional<std::string>{text};
}

/// 0 channels: NCCL does not tell those of CollNet, nor of NVLS over several nodes.
std::optional<int> known_channels(int channels) { return channels > 0 ? std::optional{channels} : std::nullopt; }

std::string_view mechanism(std::string_view algorithm, std::optional<int> nodes) {
  if (algorithm.starts_with("COLLNET")) return "CollNet: the fabric's switches";
  if (algorithm == "NVLS_TREE") return "NVLink SHARP inside the nodes, a tree of hosts between them";
  if (algorithm != "NVLS") return "no switch";
  if (!nodes) return "NVLink SHARP";
  return *nodes > 1 ? "NVLink SHARP inside the nodes, CollNet between them" : "NVLink SHARP inside the node";
}

}  // namespace

std::optional<bool> is_in_network(std::string_view algorithm, std::optional<int> nodes, InNetwork asked) {
  const bool asked_of_fabric = asked == InNetwork::collnet || asked == InNetwork::sharp;
  if (algorithm.starts_with("COLLNET")) return asked != InNetwork::nvls;
  if (algorithm == "NVLS_TREE") return !asked_of_fabric;
  if (algorithm != "NVLS") return false;
  if (!asked_of_fabric) return true;
  if (!nodes) return std::nullopt;
  return *nodes > 1;
}

void add_profile(Observation& seen, const std::vector<ProfiledRecord>& records,
                 const ProfiledCommunicator& communicator, std::string_view function, InNetwork asked) {
  const auto nodes = communicator.nodes > 0 ? std::optional<int>{communicator.nodes} : std::nullopt;
  Agreed<std::string> algorithm;
  Agreed<std::string> protocol;
  Agreed<int> channels;
  Agreed<bool> in_network;
  bool any = false;
  for (const ProfiledRecord& r : records) {
    if (r.stage != busbar_profiler_enqueued || function != r.function) continue;
    any = true;
    const auto name = known_text(r.algorithm);
    algorithm.add(name);
    protocol.add(known_text(r.protocol));
    channels.add(known_channels(r.channels));
    in_network.add(name ? is_in_network(*name, nodes, asked) : std::nullopt);
    if (name) {
      seen.how.push_back(fmt::format("NCCL's profiler interface: {} {} times by {} {} ({})", r.function, r.times, *name,
                                     r.protocol, mechanism(*name, nodes)));
    }
  }
  if (!any) {
    seen.how.push_back(
        fmt::format("NCCL's profiler interface told of no {}: symmetric kernels are not reported", function));
    return;
  }
  if (communicator.lost > 0) {
    seen.how.push_back(fmt::format("the profiler lost {} events: what ran is not known", communicator.lost));
    return;
  }
  seen.algorithm = algorithm.get();
  seen.protocol = protocol.get();
  seen.channels = channels.get();
  seen.in_network = in_network.get();
}

}  // namespace busbar::nccl
