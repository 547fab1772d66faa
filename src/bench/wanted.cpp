#include "bench/wanted.h"

namespace busbar {

std::vector<std::string_view> transports() {
#ifdef BUSBAR_HAS_NCCL
  return {"mpi", "nccl"};
#else
  return {"mpi"};
#endif
}

}  // namespace busbar
