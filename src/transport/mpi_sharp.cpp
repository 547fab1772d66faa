#include "transport/mpi_sharp.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <string_view>

namespace busbar::mpi {
namespace {

std::string_view environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view{} : std::string_view{value};
}

/// HCOLL_ENABLE_SHARP: 1 only tries and falls back in silence; 2 and more insist.
bool hcoll_insists() {
  const std::string_view value = environment("HCOLL_ENABLE_SHARP");
  return value == "2" || value == "3" || value == "4";
}

bool ucc_names_sharp() { return environment("OMPI_UCC_CL_BASIC_TLS").find("sharp") != std::string_view::npos; }

bool can_load(const char* library) {
  void* const handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
  if (handle == nullptr) return false;
  dlclose(handle);
  return true;
}

}  // namespace

std::optional<std::string> sharp_objection(const ToolInterface& tool) {
  const bool hcoll = tool.has_variable("coll_hcoll_enable");
  const bool ucc = tool.has_variable("coll_ucc_enable");
  if (!hcoll && !ucc) {
    return "in_network=sharp needs the component coll/hcoll or coll/ucc in MPI and this MPI has neither; accepted is "
           "an "
           "MPI built with one, such as NVIDIA HPC-X";
  }
  const bool by_hcoll = hcoll && tool.read("coll_hcoll_enable") == "1" && hcoll_insists();
  const bool by_ucc = ucc && tool.read("coll_ucc_enable") == "1" && ucc_names_sharp();
  if (!by_hcoll && !by_ucc) {
    return "in_network=sharp must be asked for before the processes start; accepted is 'busbar run --in-network "
           "sharp', "
           "or OMPI_MCA_coll_hcoll_enable=1 with HCOLL_ENABLE_SHARP=2 to 4, or OMPI_MCA_coll_ucc_enable=1 with "
           "OMPI_UCC_CL_BASIC_TLS=ucp,sharp";
  }
  for (const char* const library : {"libsharp_coll.so", "libsharp_coll.so.5"}) {
    if (can_load(library)) return std::nullopt;
  }
  return "in_network=sharp needs libsharp_coll.so and it cannot be loaded here; accepted is a SHARP installation on "
         "LD_LIBRARY_PATH";
}

}  // namespace busbar::mpi
