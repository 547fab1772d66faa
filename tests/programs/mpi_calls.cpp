// Calls MPI a known number of times: what the capture of MPI programs is tested with. Four ranks.
#include <mpi.h>

#include <cstdio>
#include <vector>

namespace {

constexpr int ranks_wanted = 4;

void times(int count, auto&& call) {
  for (int i = 0; i < count; ++i) call();
}

// Collectives that block, each with a size and a number of its own.
void collectives(MPI_Comm comm, int rank) {
  std::vector<double> a(4096), b(4096);
  times(3, [&] { MPI_Allreduce(a.data(), b.data(), 256, MPI_FLOAT, MPI_SUM, comm); });
  times(2, [&] { MPI_Allreduce(MPI_IN_PLACE, b.data(), 100, MPI_DOUBLE, MPI_MAX, comm); });
  times(4, [&] { MPI_Bcast(a.data(), 128, MPI_INT, 1, comm); });
  times(5, [&] { MPI_Reduce(a.data(), b.data(), 64, MPI_LONG, MPI_MIN, 2, comm); });
  times(6, [&] { MPI_Allgather(a.data(), 32, MPI_FLOAT, b.data(), 32, MPI_FLOAT, comm); });
  times(7, [&] { MPI_Reduce_scatter_block(a.data(), b.data(), 16, MPI_DOUBLE, MPI_PROD, comm); });
  const std::vector<int> counts = {1, 2, 3, 2};
  times(8, [&] { MPI_Reduce_scatter(a.data(), b.data(), counts.data(), MPI_FLOAT, MPI_SUM, comm); });
  times(9, [&] { MPI_Alltoall(a.data(), 8, MPI_BYTE, b.data(), 8, MPI_BYTE, comm); });
  // Counts that mean nothing at a rank are wrong there on purpose: they must not be looked at.
  times(10, [&] { MPI_Gather(a.data(), 5, MPI_INT, b.data(), rank == 3 ? 5 : -1, MPI_INT, 3, comm); });
  times(11, [&] { MPI_Scatter(a.data(), rank == 0 ? 7 : -1, MPI_INT, b.data(), 7, MPI_INT, 0, comm); });
  times(12, [&] { MPI_Barrier(comm); });
}

// What no workload has: it is left out, and said.
void others(MPI_Comm comm) {
  std::vector<int> a(64), b(64);
  const std::vector<int> counts = {1, 2, 3, 4}, displacements = {0, 8, 16, 24};
  int rank = 0;
  MPI_Comm_rank(comm, &rank);
  MPI_Allgatherv(a.data(), rank + 1, MPI_INT, b.data(), counts.data(), displacements.data(), MPI_INT, comm);
  times(2, [&] { MPI_Allreduce(a.data(), b.data(), 1, MPI_INT, MPI_LOR, comm); });
  times(3, [&] {
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Iallreduce(a.data(), b.data(), 4, MPI_INT, MPI_SUM, comm, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
  });
  MPI_Bcast(a.data(), 0, MPI_INT, 0, comm);
}

// Messages in a ring, one of them of a datatype that the program made, and one to nowhere.
void messages(MPI_Comm comm, int rank) {
  std::vector<double> a(512), b(512);
  const int next = (rank + 1) % ranks_wanted, previous = (rank + ranks_wanted - 1) % ranks_wanted;
  times(2, [&] {
    MPI_Sendrecv(a.data(), 300, MPI_DOUBLE, next, 0, b.data(), 300, MPI_DOUBLE, previous, 0, comm, MPI_STATUS_IGNORE);
  });
  MPI_Datatype column = MPI_DATATYPE_NULL;
  MPI_Type_vector(10, 2, 4, MPI_FLOAT, &column);
  MPI_Type_commit(&column);
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Isend(a.data(), 1, column, next, 1, comm, &request);
  MPI_Recv(b.data(), 1, column, previous, 1, comm, MPI_STATUS_IGNORE);
  MPI_Wait(&request, MPI_STATUS_IGNORE);
  MPI_Type_free(&column);
  MPI_Send(a.data(), 1, MPI_DOUBLE, MPI_PROC_NULL, 2, comm);
}

// Pairs side by side, made twice with the same ranks; and a communicator of one.
void groups(int rank) {
  std::vector<float> a(64), b(64);
  for (int i = 0; i < 2; ++i) {
    MPI_Comm pair = MPI_COMM_NULL;
    MPI_Comm_split(MPI_COMM_WORLD, rank / 2, rank, &pair);
    times(5, [&] { MPI_Allreduce(a.data(), b.data(), 50, MPI_FLOAT, MPI_SUM, pair); });
    MPI_Comm_free(&pair);
  }
  MPI_Allreduce(a.data(), b.data(), 50, MPI_FLOAT, MPI_SUM, MPI_COMM_SELF);
}

}  // namespace

int main(int argc, char** argv) {
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  int rank = 0, ranks = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  if (ranks != ranks_wanted) {
    std::fprintf(stderr, "mpi_calls: %d ranks; accepted: %d\n", ranks, ranks_wanted);
    MPI_Finalize();
    return 2;
  }
  MPI_Comm copy = MPI_COMM_NULL;
  MPI_Comm_dup(MPI_COMM_WORLD, &copy);
  collectives(MPI_COMM_WORLD, rank);
  others(MPI_COMM_WORLD);
  messages(copy, rank);  // the same ranks: counted with the world
  groups(rank);
  MPI_Comm_free(&copy);
  MPI_Finalize();
  return 0;
}
