#include "transport/mpi_native.h"

#include <fmt/format.h>

#include <array>
#include <limits>

#include "collectives/all_to_allv.h"
#include "core/error.h"
#include "memory/reduce.h"

namespace busbar::mpi {
namespace {

constexpr int data_tag = 7;

/// What every native call needs, in MPI's own terms.
struct Call {
  MPI_Comm comm = MPI_COMM_NULL;
  MPI_Datatype type = MPI_DATATYPE_NULL;
  MPI_Op op = MPI_OP_NULL;
  int ranks = 1;
  int self = 0;
  int root = 0;
  int count = 0;  ///< shape.elements
  int chunk = 0;  ///< shape.elements / ranks
  bool in_place = false;
  std::byte* recv = nullptr;

  bool is_root() const { return self == root; }
};

using Function = int (*)(const Call& c, const std::byte* input);

int all_reduce(const Call& c, const std::byte* input) {
  return MPI_Allreduce(c.in_place ? MPI_IN_PLACE : input, c.recv, c.count, c.type, c.op, c.comm);
}

int reduce(const Call& c, const std::byte* input) {
  const bool in_place_here = c.in_place && c.is_root();
  return MPI_Reduce(in_place_here ? MPI_IN_PLACE : input, c.recv, c.count, c.type, c.op, c.root, c.comm);
}

int reduce_scatter(const Call& c, const std::byte* input) {
  return MPI_Reduce_scatter_block(c.in_place ? MPI_IN_PLACE : input, c.recv, c.chunk, c.type, c.op, c.comm);
}

int all_gather(const Call& c, const std::byte* input) {
  return MPI_Allgather(c.in_place ? MPI_IN_PLACE : input, c.chunk, c.type, c.recv, c.chunk, c.type, c.comm);
}

int gather(const Call& c, const std::byte* input) {
  const bool in_place_here = c.in_place && c.is_root();
  return MPI_Gather(in_place_here ? MPI_IN_PLACE : input, c.chunk, c.type, c.recv, c.chunk, c.type, c.root, c.comm);
}

int scatter(const Call& c, const std::byte* input) {
  void* const recv = c.in_place && c.is_root() ? MPI_IN_PLACE : c.recv;
  return MPI_Scatter(input, c.chunk, c.type, recv, c.chunk, c.type, c.root, c.comm);
}

int broadcast(const Call& c, const std::byte* input) {
  // MPI's broadcast has one buffer: what the root reads and the others write. It does not write at the root.
  void* const buffer = c.is_root() ? const_cast<std::byte*>(input) : c.recv;
  return MPI_Bcast(buffer, c.count, c.type, c.root, c.comm);
}

int all_to_all(const Call& c, const std::byte* input) {
  return MPI_Alltoall(input, c.chunk, c.type, c.recv, c.chunk, c.type, c.comm);
}

int barrier(const Call& c, const std::byte* /*input*/) { return MPI_Barrier(c.comm); }

int send_recv(const Call& c, const std::byte* input) {
  const int next = (c.self + 1) % c.ranks;
  const int previous = (c.self + c.ranks - 1) % c.ranks;
  return MPI_Sendrecv(input, c.count, c.type, next, data_tag, c.recv, c.count, c.type, previous, data_tag, c.comm,
                      MPI_STATUS_IGNORE);
}

int ping_pong(const Call& c, const std::byte* input) {
  const int last = c.ranks - 1;
  if (c.self == 0) {
    const int sent = MPI_Send(input, c.count, c.type, last, data_tag, c.comm);
    if (sent != MPI_SUCCESS) return sent;
    return MPI_Recv(c.recv, c.count, c.type, last, data_tag, c.comm, MPI_STATUS_IGNORE);
  }
  if (c.self != last) return MPI_SUCCESS;
  const int received = MPI_Recv(c.recv, c.count, c.type, 0, data_tag, c.comm, MPI_STATUS_IGNORE);
  if (received != MPI_SUCCESS) return received;
  return MPI_Send(input, c.count, c.type, 0, data_tag, c.comm);
}

int bidirectional(const Call& c, const std::byte* input) {
  const int last = c.ranks - 1;
  if (c.self != 0 && c.self != last) return MPI_SUCCESS;
  const int peer = last - c.self;
  return MPI_Sendrecv(input, c.count, c.type, peer, data_tag, c.recv, c.count, c.type, peer, data_tag, c.comm,
                      MPI_STATUS_IGNORE);
}

struct Entry {
  std::string_view name;
  Function function;
};

constexpr std::array functions{
    Entry{"all_gather", all_gather},
    Entry{"all_reduce", all_reduce},
    Entry{"all_to_all", all_to_all},
    Entry{"barrier", barrier},
    Entry{"bidirectional", bidirectional},
    Entry{"broadcast", broadcast},
    Entry{"gather", gather},
    Entry{"ping_pong", ping_pong},
    Entry{"reduce", reduce},
    Entry{"reduce_scatter", reduce_scatter},
    Entry{"scatter", scatter},
    Entry{"send_recv", send_recv},
};

class NativeOperation final : public Operation {
 public:
  NativeOperation(Function function, std::string_view name, const Call& call, const Buffers& buffers)
      : function_(function), name_(name), call_(call), buffers_(buffers) {}
  void enqueue(int slot) override { check(function_(call_, buffers_.input[slot]), name_); }
  void complete() override {}

 private:
  Function function_;
  std::string_view name_;
  Call call_;
  Buffers buffers_;
};

/// A reduction by sum, then divided by the number of ranks: MPI has no average.
class AveragedOperation final : public Operation {
 public:
  AveragedOperation(std::unique_ptr<Operation> sum, DataType type, std::byte* result, std::size_t elements, int ranks)
      : sum_(std::move(sum)), type_(type), result_(result), elements_(elements), ranks_(ranks) {}
  void enqueue(int slot) override {
    sum_->enqueue(slot);
    sum_->complete();
    average_in_place(type_, result_, elements_, ranks_);
  }
  void complete() override {}

 private:
  std::unique_ptr<Operation> sum_;
  DataType type_;
  std::byte* result_;
  std::size_t elements_;
  int ranks_;
};

class AllToAllvOperation final : public Operation {
 public:
  AllToAllvOperation(const Call& call, const Buffers& buffers, const Shape& shape)
      : call_(call),
        buffers_(buffers),
        counts_(in_mpi_terms(collectives::all_to_allv_counts(shape, Rank{call.self}))) {}
  void enqueue(int slot) override {
    check(MPI_Alltoallv(buffers_.input[slot], counts_.sends.data(), counts_.send_offsets.data(), call_.type, call_.recv,
                        counts_.receives.data(), counts_.receive_offsets.data(), call_.type, call_.comm),
          "MPI_Alltoallv");
  }
  void complete() override {}

 private:
  struct Counts {
    std::vector<int> sends, send_offsets, receives, receive_offsets;
  };

  static Counts in_mpi_terms(const collectives::AllToAllVCounts& counts) {
    // make_call has refused what does not fit an int.
    const auto narrow = [](const std::vector<std::size_t>& wide) {
      std::vector<int> narrowed;
      for (const std::size_t w : wide) narrowed.push_back(static_cast<int>(w));
      return narrowed;
    };
    return {narrow(counts.send_counts), narrow(counts.send_displacements), narrow(counts.recv_counts),
            narrow(counts.recv_displacements)};
  }

  Call call_;
  Buffers buffers_;
  Counts counts_;
};

Call make_call(const OperationSpec& spec, const Buffers& buffers, MPI_Comm comm, Rank self, const TypeTable& types,
               const Operators& operators) {
  const Shape& shape = spec.shape;
  if (shape.elements > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw UsageError(fmt::format("{} elements are more than one MPI call can carry; at most {} are accepted",
                                 shape.elements, std::numeric_limits<int>::max()));
  }
  return Call{.comm = comm,
              .type = types.type(spec.type),
              .op = spec.redop ? operators.op(spec.type, *spec.redop, spec.payload) : MPI_OP_NULL,
              .ranks = shape.ranks,
              .self = self.value,
              .root = shape.root.value,
              .count = static_cast<int>(shape.elements),
              .chunk = static_cast<int>(shape.chunk()),
              .in_place = shape.in_place,
              .recv = buffers.recv};
}

}  // namespace

std::unique_ptr<Operation> native_operation(const OperationSpec& spec, const Buffers& buffers, MPI_Comm comm, Rank self,
                                            const TypeTable& types, const Operators& operators) {
  const Call call = make_call(spec, buffers, comm, self, types, operators);
  const std::string_view name = spec.collective->traits().name;
  if (name == "all_to_allv") return std::make_unique<AllToAllvOperation>(call, buffers, spec.shape);
  for (const Entry& entry : functions) {
    if (entry.name != name) continue;
    auto operation = std::make_unique<NativeOperation>(entry.function, entry.name, call, buffers);
    if (!spec.shape.average || !spec.payload) return operation;
    const std::size_t result = [&] {
      std::size_t elements = 0;
      for (const Segment& s : spec.collective->answer(spec.shape, self)) elements += s.count;
      return elements;
    }();
    return std::make_unique<AveragedOperation>(std::move(operation), spec.type, buffers.recv, result, spec.shape.ranks);
  }
  return nullptr;
}

}  // namespace busbar::mpi
