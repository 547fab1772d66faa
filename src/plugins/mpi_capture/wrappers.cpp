// The MPI functions that are counted. With LD_PRELOAD these come before the library's, which have a second name each
// (PMPI_). Every one calls the library first and counts what it accepted, so nothing here can change what a program
// gets.
#include <mpi.h>

#include <numeric>

#include "plugins/mpi_capture/capture.h"

namespace {

using busbar::plugins::Capture;
using busbar::plugins::Seen;
using Part = busbar::plugins::Seen::Part;

constexpr bool blocks = true;
constexpr bool returns_at_once = false;

int counted(int result, MPI_Comm communicator, const Seen& seen) {
  if (result == MPI_SUCCESS) Capture::of_process().count(communicator, seen);
  return result;
}

Seen whole(const char* function, bool blocking, int count, MPI_Datatype type, MPI_Op op = MPI_OP_NULL) {
  return {.function = function, .blocking = blocking, .part = Part::whole, .elements = count, .type = type, .op = op};
}

Seen share(const char* function, bool blocking, int count, MPI_Datatype type, MPI_Op op = MPI_OP_NULL) {
  return {.function = function, .blocking = blocking, .part = Part::share, .elements = count, .type = type, .op = op};
}

// Ranks have sizes of their own, so that no single one would be right: only counted.
Seen uneven(const char* function, bool blocking) { return {.function = function, .blocking = blocking}; }

// What only the root gives at the root, and what the others give elsewhere: the rest means nothing there.
struct Side {
  int count;
  MPI_Datatype type;
};
Seen rooted(const char* function, bool blocking, int root, MPI_Comm communicator, Side at_root, Side elsewhere) {
  int rank = MPI_PROC_NULL;
  PMPI_Comm_rank(communicator, &rank);
  const Side side = rank == root ? at_root : elsewhere;
  return share(function, blocking, side.count, side.type);
}

Seen scattered_sum(bool blocking, const int counts[], MPI_Datatype type, MPI_Op op, MPI_Comm communicator) {
  int ranks = 0;
  PMPI_Comm_size(communicator, &ranks);
  Seen seen = whole("Reduce_scatter", blocking, 0, type, op);
  seen.elements = std::accumulate(counts, counts + ranks, std::int64_t{0});
  return seen;
}

// One message. What goes nowhere is none.
int sent(int result, int to, MPI_Comm communicator, bool blocking, int count, MPI_Datatype type) {
  if (to == MPI_PROC_NULL) return result;
  return counted(result, communicator, whole("Send", blocking, count, type));
}

}  // namespace

extern "C" {

// From here on: so that a folder that cannot be written shows at the beginning.
int MPI_Init(int* argc, char*** argv) {
  const int result = PMPI_Init(argc, argv);
  if (result == MPI_SUCCESS) Capture::of_process();
  return result;
}
int MPI_Init_thread(int* argc, char*** argv, int required, int* provided) {
  const int result = PMPI_Init_thread(argc, argv, required, provided);
  if (result == MPI_SUCCESS) Capture::of_process();
  return result;
}
int MPI_Finalize(void) {
  Capture::of_process().write();
  return PMPI_Finalize();
}

int MPI_Allreduce(const void* send, void* receive, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm) {
  return counted(PMPI_Allreduce(send, receive, count, type, op, comm), comm,
                 whole("Allreduce", blocks, count, type, op));
}
int MPI_Iallreduce(const void* send, void* receive, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm,
                   MPI_Request* request) {
  return counted(PMPI_Iallreduce(send, receive, count, type, op, comm, request), comm,
                 whole("Allreduce", returns_at_once, count, type, op));
}

int MPI_Bcast(void* buffer, int count, MPI_Datatype type, int root, MPI_Comm comm) {
  return counted(PMPI_Bcast(buffer, count, type, root, comm), comm, whole("Bcast", blocks, count, type));
}
int MPI_Ibcast(void* buffer, int count, MPI_Datatype type, int root, MPI_Comm comm, MPI_Request* request) {
  return counted(PMPI_Ibcast(buffer, count, type, root, comm, request), comm,
                 whole("Bcast", returns_at_once, count, type));
}

int MPI_Reduce(const void* send, void* receive, int count, MPI_Datatype type, MPI_Op op, int root, MPI_Comm comm) {
  return counted(PMPI_Reduce(send, receive, count, type, op, root, comm), comm,
                 whole("Reduce", blocks, count, type, op));
}
int MPI_Ireduce(const void* send, void* receive, int count, MPI_Datatype type, MPI_Op op, int root, MPI_Comm comm,
                MPI_Request* request) {
  return counted(PMPI_Ireduce(send, receive, count, type, op, root, comm, request), comm,
                 whole("Reduce", returns_at_once, count, type, op));
}

int MPI_Allgather(const void* send, int send_count, MPI_Datatype send_type, void* receive, int receive_count,
                  MPI_Datatype receive_type, MPI_Comm comm) {
  return counted(PMPI_Allgather(send, send_count, send_type, receive, receive_count, receive_type, comm), comm,
                 share("Allgather", blocks, receive_count, receive_type));
}
int MPI_Iallgather(const void* send, int send_count, MPI_Datatype send_type, void* receive, int receive_count,
                   MPI_Datatype receive_type, MPI_Comm comm, MPI_Request* request) {
  return counted(PMPI_Iallgather(send, send_count, send_type, receive, receive_count, receive_type, comm, request),
                 comm, share("Allgather", returns_at_once, receive_count, receive_type));
}

int MPI_Reduce_scatter(const void* send, void* receive, const int counts[], MPI_Datatype type, MPI_Op op,
                       MPI_Comm comm) {
  return counted(PMPI_Reduce_scatter(send, receive, counts, type, op, comm), comm,
                 scattered_sum(blocks, counts, type, op, comm));
}
int MPI_Ireduce_scatter(const void* send, void* receive, const int counts[], MPI_Datatype type, MPI_Op op,
                        MPI_Comm comm, MPI_Request* request) {
  return counted(PMPI_Ireduce_scatter(send, receive, counts, type, op, comm, request), comm,
                 scattered_sum(returns_at_once, counts, type, op, comm));
}
int MPI_Reduce_scatter_block(const void* send, void* receive, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm) {
  return counted(PMPI_Reduce_scatter_block(send, receive, count, type, op, comm), comm,
                 share("Reduce_scatter_block", blocks, count, type, op));
}
int MPI_Ireduce_scatter_block(const void* send, void* receive, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm,
                              MPI_Request* request) {
  return counted(PMPI_Ireduce_scatter_block(send, receive, count, type, op, comm, request), comm,
                 share("Reduce_scatter_block", returns_at_once, count, type, op));
}

// What is received, since MPI_IN_PLACE leaves out what is sent.
int MPI_Alltoall(const void* send, int send_count, MPI_Datatype send_type, void* receive, int receive_count,
                 MPI_Datatype receive_type, MPI_Comm comm) {
  return counted(PMPI_Alltoall(send, send_count, send_type, receive, receive_count, receive_type, comm), comm,
                 share("Alltoall", blocks, receive_count, receive_type));
}
int MPI_Ialltoall(const void* send, int send_count, MPI_Datatype send_type, void* receive, int receive_count,
                  MPI_Datatype receive_type, MPI_Comm comm, MPI_Request* request) {
  return counted(PMPI_Ialltoall(send, send_count, send_type, receive, receive_count, receive_type, comm, request), comm,
                 share("Alltoall", returns_at_once, receive_count, receive_type));
}

int MPI_Gather(const void* send, int send_count, MPI_Datatype send_type, void* receive, int receive_count,
               MPI_Datatype receive_type, int root, MPI_Comm comm) {
  return counted(PMPI_Gather(send, send_count, send_type, receive, receive_count, receive_type, root, comm), comm,
                 rooted("Gather", blocks, root, comm, {receive_count, receive_type}, {send_count, send_type}));
}
int MPI_Igather(const void* send, int send_count, MPI_Datatype send_type, void* receive, int receive_count,
                MPI_Datatype receive_type, int root, MPI_Comm comm, MPI_Request* request) {
  return counted(PMPI_Igather(send, send_count, send_type, receive, receive_count, receive_type, root, comm, request),
                 comm,
                 rooted("Gather", returns_at_once, root, comm, {receive_count, receive_type}, {send_count, send_type}));
}
int MPI_Scatter(const void* send, int send_count, MPI_Datatype send_type, void* receive, int receive_count,
                MPI_Datatype receive_type, int root, MPI_Comm comm) {
  return counted(PMPI_Scatter(send, send_count, send_type, receive, receive_count, receive_type, root, comm), comm,
                 rooted("Scatter", blocks, root, comm, {send_count, send_type}, {receive_count, receive_type}));
}
int MPI_Iscatter(const void* send, int send_count, MPI_Datatype send_type, void* receive, int receive_count,
                 MPI_Datatype receive_type, int root, MPI_Comm comm, MPI_Request* request) {
  return counted(
      PMPI_Iscatter(send, send_count, send_type, receive, receive_count, receive_type, root, comm, request), comm,
      rooted("Scatter", returns_at_once, root, comm, {send_count, send_type}, {receive_count, receive_type}));
}

int MPI_Barrier(MPI_Comm comm) {
  return counted(PMPI_Barrier(comm), comm, whole("Barrier", blocks, 0, MPI_DATATYPE_NULL));
}
int MPI_Ibarrier(MPI_Comm comm, MPI_Request* request) {
  return counted(PMPI_Ibarrier(comm, request), comm, whole("Barrier", returns_at_once, 0, MPI_DATATYPE_NULL));
}

int MPI_Allgatherv(const void* send, int send_count, MPI_Datatype send_type, void* receive, const int counts[],
                   const int displacements[], MPI_Datatype receive_type, MPI_Comm comm) {
  return counted(PMPI_Allgatherv(send, send_count, send_type, receive, counts, displacements, receive_type, comm), comm,
                 uneven("Allgatherv", blocks));
}
int MPI_Alltoallv(const void* send, const int send_counts[], const int send_displacements[], MPI_Datatype send_type,
                  void* receive, const int counts[], const int displacements[], MPI_Datatype receive_type,
                  MPI_Comm comm) {
  return counted(PMPI_Alltoallv(send, send_counts, send_displacements, send_type, receive, counts, displacements,
                                receive_type, comm),
                 comm, uneven("Alltoallv", blocks));
}
int MPI_Gatherv(const void* send, int send_count, MPI_Datatype send_type, void* receive, const int counts[],
                const int displacements[], MPI_Datatype receive_type, int root, MPI_Comm comm) {
  return counted(PMPI_Gatherv(send, send_count, send_type, receive, counts, displacements, receive_type, root, comm),
                 comm, uneven("Gatherv", blocks));
}
int MPI_Scatterv(const void* send, const int counts[], const int displacements[], MPI_Datatype send_type, void* receive,
                 int receive_count, MPI_Datatype receive_type, int root, MPI_Comm comm) {
  return counted(
      PMPI_Scatterv(send, counts, displacements, send_type, receive, receive_count, receive_type, root, comm), comm,
      uneven("Scatterv", blocks));
}

int MPI_Send(const void* buffer, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm) {
  return sent(PMPI_Send(buffer, count, type, to, tag, comm), to, comm, blocks, count, type);
}
int MPI_Bsend(const void* buffer, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm) {
  return sent(PMPI_Bsend(buffer, count, type, to, tag, comm), to, comm, blocks, count, type);
}
int MPI_Rsend(const void* buffer, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm) {
  return sent(PMPI_Rsend(buffer, count, type, to, tag, comm), to, comm, blocks, count, type);
}
int MPI_Ssend(const void* buffer, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm) {
  return sent(PMPI_Ssend(buffer, count, type, to, tag, comm), to, comm, blocks, count, type);
}
int MPI_Isend(const void* buffer, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm, MPI_Request* request) {
  return sent(PMPI_Isend(buffer, count, type, to, tag, comm, request), to, comm, returns_at_once, count, type);
}
int MPI_Issend(const void* buffer, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm, MPI_Request* request) {
  return sent(PMPI_Issend(buffer, count, type, to, tag, comm, request), to, comm, returns_at_once, count, type);
}
int MPI_Sendrecv(const void* send, int send_count, MPI_Datatype send_type, int to, int send_tag, void* receive,
                 int receive_count, MPI_Datatype receive_type, int from, int receive_tag, MPI_Comm comm,
                 MPI_Status* status) {
  return sent(PMPI_Sendrecv(send, send_count, send_type, to, send_tag, receive, receive_count, receive_type, from,
                            receive_tag, comm, status),
              to, comm, blocks, send_count, send_type);
}
int MPI_Sendrecv_replace(void* buffer, int count, MPI_Datatype type, int to, int send_tag, int from, int receive_tag,
                         MPI_Comm comm, MPI_Status* status) {
  return sent(PMPI_Sendrecv_replace(buffer, count, type, to, send_tag, from, receive_tag, comm, status), to, comm,
              blocks, count, type);
}

}  // extern "C"
