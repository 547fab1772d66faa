// What the profiler plugin saw of one operation, as an observation; never what was asked for.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "transport/nccl/plugin.h"
#include "transport/nccl/settings.h"
#include "transport/transport.h"

namespace busbar::nccl {

/// Whether `algorithm` (NCCL's word, such as "NVLS_TREE") reduces in the network that `asked` means, on `nodes` nodes:
///   COLLNET_*           in the fabric's switches
///   NVLS, several nodes in NVLink's switches, and between the nodes in the fabric's
///   NVLS, one node      in NVLink's switches: no SHARP of the fabric
///   NVLS_TREE           in NVLink's switches; a tree of hosts between the nodes: no SHARP of the fabric
/// None where that depends on the number of nodes, and it is not known.
std::optional<bool> is_in_network(std::string_view algorithm, std::optional<int> nodes, InNetwork asked);

/// Adds to `seen` what `records`, those of one operation, agree on; what they differ in stays absent. `function` is
/// NCCL's word, such as "AllReduce"; records of others are left out.
void add_profile(Observation& seen, const std::vector<ProfiledRecord>& records,
                 const ProfiledCommunicator& communicator, std::string_view function, InNetwork asked);

}  // namespace busbar::nccl
