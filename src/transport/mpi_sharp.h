// Reduction in the network by the switches themselves: NVIDIA SHARP, through the collective library inside MPI. Busbar
// calls MPI as always; what makes the difference was in the environment when the process started.
#pragma once

#include <optional>
#include <string>

#include "transport/mpi_tool.h"

namespace busbar::mpi {

/// Why SHARP cannot carry operations in this process, in one sentence that names what is missing; nothing where all
/// that can be seen from here is in place. (Whether a switch grants a tree, only the first operation tells: the
/// settings asked for make the library end the launch then, instead of doing without.)
std::optional<std::string> sharp_objection(const ToolInterface& tool);

}  // namespace busbar::mpi
