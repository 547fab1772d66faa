#include "fakes/nccl/fault.h"

#include <mpi.h>

#include <cstdlib>
#include <string>

namespace busbar::nccl::fake {

bool has_fault(std::string_view kind) {
  const char* const text = std::getenv("BUSBAR_FAKE_NCCL_FAULT");
  if (text == nullptr) return false;
  const std::string fault = text;
  const auto colon = fault.find(':');
  if (fault.substr(0, colon) != kind) return false;
  if (colon == std::string::npos) return true;
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return std::stoi(fault.substr(colon + 1)) == rank;
}

int version() {
  const char* const text = std::getenv("BUSBAR_FAKE_NCCL_VERSION");
  return text == nullptr ? 22809 : std::stoi(text);
}

}  // namespace busbar::nccl::fake
