#include "fakes/nccl/batch.h"

#include <dlfcn.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <utility>
#include <vector>

#include "fakes/gpu/enqueue.h"
#include "fakes/nccl/communicator.h"
#include "fakes/nccl/execute.h"

namespace busbar::nccl::fake {
namespace {

// A group is open for the thread that opened it.
thread_local int depth = 0;
thread_local std::vector<Task> waiting;

/// How the fake GPU takes work; null where this process has another one, whose work is done at once.
BusbarFakeGpuEnqueue* gpu_enqueue() {
  const char* const platform = std::getenv("BUSBAR_GPU_PLATFORM");
  if (platform == nullptr) return nullptr;
  void* const loaded = dlopen(platform, RTLD_NOW | RTLD_NOLOAD);
  if (loaded == nullptr) return nullptr;
  return reinterpret_cast<BusbarFakeGpuEnqueue*>(dlsym(loaded, "busbar_fake_gpu_enqueue"));
}

ncclResult_t objection(const Task& task) {
  if (task.comm == nullptr) return fail(ncclInvalidArgument, "the communicator is NULL");
  if (!has_datatype(task.type)) return fail(ncclInvalidArgument, "invalid type");
  if (task.peer < 0 || task.peer >= task.comm->ranks) return fail(ncclInvalidArgument, "Invalid root or peer");
  return ncclSuccess;
}

struct Reported {
  nccl_abi::Function function;
  const char* name;
  bool sum_of_ranks;  ///< its bytes are the larger of the two buffers'
};

const Reported* reported(Kind kind) {
  static constexpr std::array reports{
      Reported{nccl_abi::all_reduce, "AllReduce", false}, Reported{nccl_abi::reduce, "Reduce", false},
      Reported{nccl_abi::broadcast, "Broadcast", false}, Reported{nccl_abi::all_gather, "AllGather", true},
      Reported{nccl_abi::reduce_scatter, "ReduceScatter", true}};
  const auto index = static_cast<std::size_t>(kind);
  return index < reports.size() ? &reports[index] : nullptr;
}

void choose_and_report(const Task& task) {
  const Reported* const r = reported(task.kind);
  if (r == nullptr) return;
  const ncclComm& comm = *task.comm;
  const char* const nvls = std::getenv("NCCL_NVLS_ENABLE");
  const Abilities abilities{comm.collnet, nvls != nullptr && *nvls == '1', comm.channels};
  const std::size_t bytes =
      task.count * element_bytes(task.type) * (r->sum_of_ranks ? static_cast<std::size_t>(comm.ranks) : 1);
  const Choice choice = comm.plugins->choose(r->function, bytes, abilities);
  comm.plugins->report(r->name, datatype_name(task.type), task.count, task.peer, choice);
}

/// All of one group; what it holds is done in any order, as NCCL promises no other.
void put_on_stream(std::vector<Task> tasks) {
  for (const Task& task : tasks) choose_and_report(task);
  cudaStream_t const stream = tasks.front().stream;
  auto* const kept = new std::vector<Task>(std::move(tasks));
  const auto work = [](void* argument) { execute(*static_cast<std::vector<Task>*>(argument)); };
  const auto release = [](void* argument) { delete static_cast<std::vector<Task>*>(argument); };
  if (BusbarFakeGpuEnqueue* const enqueue = gpu_enqueue()) {
    enqueue(stream, work, kept, release);
  } else {
    work(kept);
    release(kept);
  }
}

}  // namespace

ncclResult_t submit(Task task) {
  if (const ncclResult_t wrong = objection(task); wrong != ncclSuccess) return wrong;
  if (task.op >= ncclNumOps) {
    const auto made = task.comm->operators.find(task.op);
    if (made == task.comm->operators.end()) return fail(ncclInvalidArgument, "this operator is not the communicator's");
    if (made->second.type != task.type) return fail(ncclInvalidArgument, "this operator is for another type");
    task.scalar = made->second.scalar;
  }
  waiting.push_back(task);
  if (depth > 0) return ncclSuccess;
  begin_group();
  return end_group();
}

void begin_group() { ++depth; }

ncclResult_t end_group() {
  if (depth == 0) return fail(ncclInvalidUsage, "ncclGroupEnd: not in a group call.");
  if (--depth > 0 || waiting.empty()) return ncclSuccess;
  put_on_stream(std::exchange(waiting, {}));
  return ncclSuccess;
}

}  // namespace busbar::nccl::fake
