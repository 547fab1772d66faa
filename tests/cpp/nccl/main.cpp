// Runs the tests in all processes of an mpirun at once: every test is collective. Any process that fails fails them
// all.
#include <gtest/gtest.h>

#include <cstdlib>

#include "nccl/world.h"
#include "observe/host.h"
#include "transport/mpi_handles.h"

namespace busbar::testing {
namespace {
Process* the_process = nullptr;
}

Process& process() { return *the_process; }

}  // namespace busbar::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const busbar::mpi::Session session(&argc, &argv);
  busbar::testing::Process process(busbar::host_name());
  busbar::testing::the_process = &process;
  return RUN_ALL_TESTS();
}
