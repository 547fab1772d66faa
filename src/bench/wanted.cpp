#include "bench/wanted.h"

namespace busbar {

std::vector<std::string_view> transports() {
  std::vector<std::string_view> names{"mpi"};
#ifdef BUSBAR_HAS_NCCL
  names.emplace_back("nccl");
#endif
#ifdef BUSBAR_HAS_UCX
  names.emplace_back("ucx");
#endif
  return names;
}

}  // namespace busbar
