// An MPI program as anybody may have written it: it knows nothing of Busbar. It computes a little, then all ranks
// communicate. Prints the median time of one collective per size, until the last rank has it, as JSON.
// `plain_all_reduce OPERATION REPETITIONS RANKS BYTES...`, on the first RANKS ranks.
#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr std::chrono::milliseconds computing{3};

/// One execution; `bytes` is what a rank holds of the larger buffer.
using Execute = std::function<void(std::size_t bytes, std::vector<float>& send, std::vector<float>& recv, MPI_Comm)>;

int elements_of(std::size_t bytes) { return static_cast<int>(bytes / sizeof(float)); }

int chunk_of(std::size_t bytes, MPI_Comm comm) {
  int ranks = 0;
  MPI_Comm_size(comm, &ranks);
  return elements_of(bytes) / ranks;
}

Execute operation(const std::string& name) {
  if (name == "all_reduce") {
    return [](std::size_t bytes, std::vector<float>& send, std::vector<float>& recv, MPI_Comm comm) {
      MPI_Allreduce(send.data(), recv.data(), elements_of(bytes), MPI_FLOAT, MPI_SUM, comm);
    };
  }
  if (name == "all_gather") {
    return [](std::size_t bytes, std::vector<float>& send, std::vector<float>& recv, MPI_Comm comm) {
      const int chunk = chunk_of(bytes, comm);
      MPI_Allgather(send.data(), chunk, MPI_FLOAT, recv.data(), chunk, MPI_FLOAT, comm);
    };
  }
  if (name == "all_to_all") {
    return [](std::size_t bytes, std::vector<float>& send, std::vector<float>& recv, MPI_Comm comm) {
      const int chunk = chunk_of(bytes, comm);
      MPI_Alltoall(send.data(), chunk, MPI_FLOAT, recv.data(), chunk, MPI_FLOAT, comm);
    };
  }
  if (name == "broadcast") {
    return [](std::size_t bytes, std::vector<float>& send, std::vector<float>& /*recv*/, MPI_Comm comm) {
      MPI_Bcast(send.data(), elements_of(bytes), MPI_FLOAT, 0, comm);
    };
  }
  std::fprintf(stderr, "unknown operation %s\n", name.c_str());
  std::exit(2);
}

double median(std::vector<double> times) {
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  if (argc < 5) {
    std::fprintf(stderr, "usage: plain_all_reduce OPERATION REPETITIONS RANKS BYTES...\n");
    return 2;
  }
  const Execute execute = operation(argv[1]);
  const int repetitions = std::atoi(argv[2]), ranks = std::atoi(argv[3]);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm comm = MPI_COMM_NULL;
  MPI_Comm_split(MPI_COMM_WORLD, rank < ranks ? 0 : MPI_UNDEFINED, rank, &comm);
  for (int n = 4; n < argc && comm != MPI_COMM_NULL; ++n) {
    const std::size_t bytes = std::strtoull(argv[n], nullptr, 10);
    std::vector<float> send(bytes / sizeof(float), 1.0F), recv(bytes / sizeof(float));
    std::vector<double> times;
    for (int k = 0; k < repetitions; ++k) {
      std::this_thread::sleep_for(computing);
      MPI_Barrier(comm);
      const double begun = MPI_Wtime();
      execute(bytes, send, recv, comm);
      const double own = (MPI_Wtime() - begun) * 1e6;
      double slowest = 0;
      MPI_Reduce(&own, &slowest, 1, MPI_DOUBLE, MPI_MAX, 0, comm);
      times.push_back(slowest);
    }
    if (rank == 0) {
      std::printf("{\"operation\": \"%s\", \"ranks\": %d, \"bytes\": %zu, \"median_us\": %.2f}\n", argv[1], ranks,
                  bytes, median(times));
    }
  }
  if (comm != MPI_COMM_NULL) MPI_Comm_free(&comm);
  MPI_Finalize();
}
