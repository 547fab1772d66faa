// What UCX says of an endpoint, as sentences: which transports and devices carry what.
#pragma once

#include <string>
#include <vector>

namespace busbar::ucx {

/// Of what ucp_ep_print_info printed of each endpoint; every sentence once. "endpoint: posix/memory for am, am_bw;
/// cma/memory for rma_bw" names an endpoint's lanes in their order. What is not understood leaves no sentence.
std::vector<std::string> describe_ways(const std::vector<std::string>& printed);

}  // namespace busbar::ucx
