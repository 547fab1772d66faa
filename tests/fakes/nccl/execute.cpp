#include "fakes/nccl/execute.h"

#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <thread>

#include "fakes/nccl/communicator.h"
#include "fakes/nccl/fault.h"
#include "memory/reduce.h"

namespace busbar::nccl::fake {
namespace {

using Bytes = std::vector<std::byte>;

struct Type {
  DataType ours;
  const char* name;
};

/// In the order of ncclDataType_t; the last two since 2.24.
constexpr std::array types{Type{DataType::int8, "ncclInt8"},
                           Type{DataType::uint8, "ncclUint8"},
                           Type{DataType::int32, "ncclInt32"},
                           Type{DataType::uint32, "ncclUint32"},
                           Type{DataType::int64, "ncclInt64"},
                           Type{DataType::uint64, "ncclUint64"},
                           Type{DataType::half, "ncclFloat16"},
                           Type{DataType::float32, "ncclFloat32"},
                           Type{DataType::float64, "ncclFloat64"},
                           Type{DataType::bfloat16, "ncclBfloat16"},
                           Type{DataType::float8_e4m3, "ncclFloat8e4m3"},
                           Type{DataType::float8_e5m2, "ncclFloat8e5m2"}};

const Type& type_of(ncclDataType_t type) { return types.at(static_cast<std::size_t>(type)); }

RedOp redop_of(ncclRedOp_t op) {
  if (op >= ncclNumOps) return RedOp::premulsum;
  static constexpr std::array ops{RedOp::sum, RedOp::prod, RedOp::max, RedOp::min, RedOp::avg};
  return ops.at(static_cast<std::size_t>(op));
}

/// One collective. Every rank's contribution goes through memory of its own, so buffers may be shared as NCCL allows.
class Collective {
 public:
  explicit Collective(const Task& task)
      : task_(task), comm_(*task.comm), bytes_(task.count * element_bytes(task.type)) {}

  void run() {
    switch (task_.kind) {
      case Kind::all_reduce: return put(reduced(all_contributions(bytes_), 0));
      case Kind::reduce: return reduce();
      case Kind::broadcast: return broadcast();
      case Kind::all_gather: return put(all_inputs(bytes_));
      case Kind::reduce_scatter: return put(reduced(all_contributions(bytes_ * ranks()), rank()));
      case Kind::all_to_all: return all_to_all();
      case Kind::gather: return gather();
      case Kind::scatter: return scatter();
      case Kind::send:
      case Kind::recv: break;
    }
  }

 private:
  std::size_t ranks() const { return static_cast<std::size_t>(comm_.ranks); }
  std::size_t rank() const { return static_cast<std::size_t>(comm_.rank); }
  bool is_root() const { return comm_.rank == task_.peer; }

  void put(const Bytes& result) const { std::memcpy(task_.output, result.data(), result.size()); }

  static std::span<const std::byte> part_of(const void* data, std::size_t part, std::size_t bytes) {
    return {static_cast<const std::byte*>(data) + part * bytes, bytes};
  }

  /// What the ranks send, one after the other.
  Bytes from_all(std::size_t each) const {
    Bytes all;
    all.reserve(each * ranks());
    for (int r = 0; r < comm_.ranks; ++r) {
      const Bytes theirs = comm_.receive(r);
      all.insert(all.end(), theirs.begin(), theirs.end());
    }
    return all;
  }

  Bytes all_inputs(std::size_t each) const { return gathered(task_.input, each); }

  /// Inputs to a reduction, each multiplied by its rank's scalar where there is one.
  Bytes all_contributions(std::size_t each) const {
    if (redop_of(task_.op) != RedOp::premulsum) return all_inputs(each);
    const std::size_t element = element_bytes(task_.type);
    Bytes mine(each);
    std::memcpy(mine.data(), task_.input, each);
    for (std::size_t at = 0; at < each; at += element) {
      reduce_into(type_of(task_.type).ours, RedOp::prod, mine.data() + at, task_.scalar.data(), 1);
    }
    return gathered(mine.data(), each);
  }

  Bytes gathered(const void* mine, std::size_t each) const {
    for (int r = 0; r < comm_.ranks; ++r) comm_.send(r, part_of(mine, 0, each));
    return from_all(each);
  }

  /// Part `part` of all ranks' contributions, each `bytes_` long, in the order of ranks.
  Bytes reduced(const Bytes& all, std::size_t part) const {
    const std::size_t stride = all.size() / ranks();
    const auto of = [&](std::size_t r) { return all.data() + r * stride + part * bytes_; };
    Bytes result(of(0), of(0) + bytes_);
    const DataType type = type_of(task_.type).ours;
    const RedOp op = redop_of(task_.op);
    for (std::size_t r = 1; r < ranks(); ++r) reduce_into(type, op, result.data(), of(r), task_.count);
    if (op == RedOp::avg) average_in_place(type, result.data(), task_.count, comm_.ranks);
    return result;
  }

  void reduce() const {
    const Bytes result = reduced(all_contributions(bytes_), 0);
    if (is_root()) put(result);
  }

  void broadcast() const {
    for (int r = 0; is_root() && r < comm_.ranks; ++r) comm_.send(r, part_of(task_.input, 0, bytes_));
    put(comm_.receive(task_.peer));
  }

  void all_to_all() const {
    for (int r = 0; r < comm_.ranks; ++r) comm_.send(r, part_of(task_.input, static_cast<std::size_t>(r), bytes_));
    put(from_all(bytes_));
  }

  void gather() const {
    comm_.send(task_.peer, part_of(task_.input, 0, bytes_));
    if (is_root()) put(from_all(bytes_));
  }

  void scatter() const {
    for (int r = 0; is_root() && r < comm_.ranks; ++r) {
      comm_.send(r, part_of(task_.input, static_cast<std::size_t>(r), bytes_));
    }
    put(comm_.receive(task_.peer));
  }

  const Task& task_;
  const ncclComm& comm_;
  std::size_t bytes_;
};

/// Sends never wait, so all of them come first.
void exchange(const std::vector<Task>& tasks) {
  for (const Task& t : tasks) {
    if (t.kind != Kind::send) continue;
    t.comm->send(t.peer, {static_cast<const std::byte*>(t.input), t.count * element_bytes(t.type)});
  }
  for (const Task& t : tasks) {
    if (t.kind != Kind::recv) continue;
    const Bytes data = t.comm->receive(t.peer);
    std::memcpy(t.output, data.data(), data.size());
  }
}

/// The first byte of each result that this rank gets.
void spoil(const std::vector<Task>& tasks) {
  for (const Task& t : tasks) {
    const bool only_root = t.kind == Kind::reduce || t.kind == Kind::gather;
    if (t.kind == Kind::send || (only_root && t.peer != t.comm->rank) || t.count == 0) continue;
    *static_cast<std::byte*>(t.output) ^= std::byte{1};
  }
}

}  // namespace

bool has_datatype(ncclDataType_t type) {
  const std::size_t known = version() < NCCL_VERSION(2, 24, 0) ? types.size() - 2 : types.size();
  return static_cast<std::size_t>(type) < known;
}

std::size_t element_bytes(ncclDataType_t type) { return size_of(type_of(type).ours); }
const char* datatype_name(ncclDataType_t type) { return type_of(type).name; }

void execute(const std::vector<Task>& tasks) {
  const int rank = tasks.front().comm->rank;
  while (has_fault("hang", rank)) pause();
  if (has_fault("slow", rank)) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  for (const Task& task : tasks) Collective(task).run();
  exchange(tasks);
  Post::of_process().flush();
  if (has_fault("wrong", rank)) spoil(tasks);
  if (has_fault("async", rank)) {
    last_error() = "connection to a peer was lost";
    for (const Task& task : tasks) task.comm->async = ncclRemoteError;
  }
}

}  // namespace busbar::nccl::fake
