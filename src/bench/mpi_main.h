// The engine as an MPI program, whatever transport it is given.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "transport/mpi_world.h"
#include "transport/transport.h"

namespace busbar {

using TransportMaker =
    std::function<std::unique_ptr<Transport>(const mpi::World& world, const std::vector<std::string>& trees)>;

/// Everything between main's arguments and its exit code.
int mpi_main(int argc, char** argv, const TransportMaker& make_transport);

}  // namespace busbar
