#include "transport/nccl/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "core/error.h"

namespace busbar::nccl {
namespace {

struct Hint {
  std::string_view words;  ///< somewhere in NCCL's, in lower case
  std::string_view text;
};

// The words are those of NCCL 2.18 to 2.30: init.cc, net.cc, socket.cc, bootstrap.cc, and CUDA's own.
constexpr std::array hints{
    Hint{"duplicate gpu", "several ranks on one GPU need a different NCCL_HOSTID each"},
    Hint{"driver version is insufficient", "the GPU's driver is missing, or older than the CUDA of this NCCL"},
    Hint{"no cuda-capable device", "this process sees no GPU: see CUDA_VISIBLE_DEVICES"},
    Hint{"out of memory", "a communicator needs less GPU memory with fewer channels, or a smaller NCCL_BUFFSIZE"},
    Hint{"mismatched nccl version", "all ranks must load the same NCCL"},
    Hint{"no socket interface", "NCCL_SOCKET_IFNAME names no interface of this host"},
    Hint{"no network interface", "NCCL_SOCKET_IFNAME names no interface of this host"},
    Hint{"failed to initialize any net plugin", "NCCL_NET or NCCL_NET_PLUGIN asks for a network that is not here"},
    Hint{"network", "see NCCL_NET, NCCL_NET_PLUGIN and NCCL_SOCKET_IFNAME"},
};

std::string in_lower_case(std::string_view text) {
  std::string lower{text};
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

/// NCCL's last error comes as lines; the sentence wants one.
std::string one_line(const char* text) {
  std::string line = text == nullptr ? "" : text;
  while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back())) != 0) line.pop_back();
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

std::string_view file_name(std::string_view path) { return path.substr(path.find_last_of('/') + 1); }

}  // namespace

std::string Site::text() const { return fmt::format("on {}, rank {}, GPU {} ({})", host, rank.value, gpu, pci_bus_id); }

std::string_view hint(ncclResult_t result, std::string_view words) {
  const std::string lower = in_lower_case(words);
  for (const Hint& h : hints) {
    if (lower.find(h.words) != std::string::npos) return h.text;
  }
  if (result == ncclRemoteError) return "another rank failed first: see what it said";
  return words.empty() ? "NCCL_DEBUG=WARN makes NCCL say more" : "";
}

void check(const Library& library, ncclResult_t result, std::string_view call, const Site& site, ncclComm_t comm,
           SourceLine where) {
  if (result == ncclSuccess) return;
  const std::string words = one_line(library.call().get_last_error(comm));
  const std::string_view help = hint(result, words);
  throw RuntimeError(fmt::format("{} failed {} ({}:{}): {}{}{}{}{}", call, site.text(), file_name(where.file),
                                 where.line, library.call().get_error_string(result), words.empty() ? "" : ": ", words,
                                 help.empty() ? "" : "; ", help));
}

}  // namespace busbar::nccl
