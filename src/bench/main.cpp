#include "bench/mpi_machine.h"
#include "bench/mpi_main.h"

int main(int argc, char** argv) { return busbar::mpi_main(argc, argv, busbar::equip, busbar::mpi::ThisMachine()); }
