#include "bench/mpi_main.h"
#include "transport/mpi.h"

int main(int argc, char** argv) { return busbar::mpi_main(argc, argv, busbar::mpi::make_transport); }
