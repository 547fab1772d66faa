#include "fakes/nccl/communicator.h"

#include <mpi.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string_view>
#include <vector>

#include "fakes/nccl/fault.h"

namespace busbar::nccl::fake {
namespace {

constexpr std::uint64_t magic = 0xfa4e;

/// What a unique id holds.
struct Id {
  std::uint64_t magic;
  CommId comm;
};

struct Card {
  int rank;
  int process;
};

/// Lanes on which a communicator's ranks find each other: cards to whoever collects them, the list back.
constexpr int collector = -1;

/// What the threads of this process share.
struct Shared {
  std::mutex mutex;
  int ids_made = 0;
  std::set<CommId> collected{};     ///< somebody collects their cards, or did
  std::map<CommId, int> collnet{};  ///< communicators with CollNet, and how many ranks of this process they have
};

Shared& shared() {
  static Shared state;
  return state;
}

template <class T>
std::span<const std::byte> bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span{values});
}

/// One thread of the process that made the id: the cards of all ranks, in their order, to all.
void collect(const CommId& id, int ranks) {
  Post& post = Post::of_process();
  std::vector<int> processes(static_cast<std::size_t>(ranks));
  for (int heard = 0; heard < ranks; ++heard) {
    Card card{};
    const Post::Letter letter = post.receive({id, 0, collector});
    std::memcpy(&card, letter.data(), sizeof(card));
    processes[static_cast<std::size_t>(card.rank)] = card.process;
  }
  for (int rank = 0; rank < ranks; ++rank) {
    post.send(processes[static_cast<std::size_t>(rank)], {id, collector, rank}, bytes_of(processes));
  }
}

/// Who holds which rank: everyone tells the id's process, and is told.
std::vector<int> meet(const CommId& id, int rank, int ranks) {
  Post& post = Post::of_process();
  const std::vector<Card> mine{{rank, Post::process()}};
  post.send(id.process, {id, 0, collector}, bytes_of(mine));
  bool collects = false;
  if (id.process == Post::process()) {
    const std::lock_guard lock(shared().mutex);
    collects = shared().collected.insert(id).second;
  }
  if (collects) collect(id, ranks);
  const Post::Letter letter = post.receive({id, collector, rank});
  std::vector<int> processes(static_cast<std::size_t>(ranks));
  std::memcpy(processes.data(), letter.data(), letter.size());
  return processes;
}

/// Nodes as NCCL counts them: by NCCL_HOSTID, else the host's name.
int count_nodes(const ncclComm& comm) {
  std::array<char, MPI_MAX_PROCESSOR_NAME> name{};
  int length = 0;
  MPI_Get_processor_name(name.data(), &length);
  std::string mine = name.data();
  if (const char* const named = std::getenv("NCCL_HOSTID")) mine = std::string{"id:"} + named;
  for (int rank = 0; rank < comm.ranks; ++rank) comm.send(rank, std::as_bytes(std::span{mine}));
  std::set<std::string> names;
  for (int rank = 0; rank < comm.ranks; ++rank) {
    const Post::Letter letter = comm.receive(rank);
    names.emplace(reinterpret_cast<const char*>(letter.data()), letter.size());
  }
  return static_cast<int>(names.size());
}

bool wants_collnet([[maybe_unused]] const ncclConfig_t& config) {
  if (const char* const set = std::getenv("NCCL_COLLNET_ENABLE")) return std::string_view{set} == "1";
#if NCCL_VERSION_CODE >= NCCL_VERSION(2, 27, 0)
  return config.collnetEnable == 1;
#else
  return false;
#endif
}

/// A switch has one tree to give: whoever comes second does without, and NCCL says nothing.
bool take_collnet(const CommId& id) {
  const std::lock_guard lock(shared().mutex);
  auto& alive = shared().collnet;
  if (!alive.empty() && !alive.contains(id)) return false;
  ++alive[id];
  return true;
}

void give_back_collnet(const CommId& id) {
  const std::lock_guard lock(shared().mutex);
  if (--shared().collnet[id] == 0) shared().collnet.erase(id);
}

/// The user's name for the communicator; null where none was given.
const char* name_of([[maybe_unused]] const ncclConfig_t& config) {
#if NCCL_VERSION_CODE >= NCCL_VERSION(2, 27, 0)
  if (config.commName != NCCL_CONFIG_UNDEF_PTR) return config.commName;
#endif
  return nullptr;
}

}  // namespace

std::string& last_error() {
  thread_local std::string words;
  return words;
}

ncclResult_t fail(ncclResult_t result, const std::string& words) {
  last_error() = words;
  return result;
}

ncclResult_t make_id(ncclUniqueId& id) {
  const std::lock_guard lock(shared().mutex);
  const Id content{magic, {Post::process(), shared().ids_made++}};
  std::memset(&id, 0, sizeof(id));
  std::memcpy(&id, &content, sizeof(content));
  return ncclSuccess;
}

ncclResult_t make_communicator(ncclComm_t& comm, int ranks, const ncclUniqueId& id, int rank,
                               const ncclConfig_t& config) {
  Id content{};
  std::memcpy(&content, &id, sizeof(content));
  if (content.magic != magic) return fail(ncclInvalidArgument, "this unique id is not from ncclGetUniqueId");
  if (config.size != sizeof(ncclConfig_t)) return fail(ncclInvalidArgument, "ncclConfig_t is not initialized");
  if (rank < 0 || rank >= ranks) return fail(ncclInvalidArgument, "Invalid rank requested");
  if (has_fault("oom")) return fail(ncclUnhandledCudaError, "Cuda failure 2 'out of memory'");
  if (has_fault("duplicate")) {
    return fail(ncclInvalidUsage, "Duplicate GPU detected : rank 0 and rank 1 both on CUDA device 1000");
  }
  auto made = std::make_unique<ncclComm>();
  made->id = content.comm;
  made->processes = meet(content.comm, rank, ranks);
  made->rank = rank;
  made->ranks = ranks;
  made->nodes = count_nodes(*made);
  if (config.maxCTAs != NCCL_CONFIG_UNDEF_INT) made->channels = config.maxCTAs;
  made->collnet = wants_collnet(config) && !has_fault("refuse_collnet") && take_collnet(content.comm);
  const std::uint64_t comm_id =
      static_cast<std::uint64_t>(content.comm.process + 1) << 32U | static_cast<std::uint64_t>(content.comm.number);
  made->plugins = std::make_unique<Plugins>(comm_id, name_of(config), made->nodes, ranks, rank);
  Post::of_process().flush();
  comm = made.release();
  return ncclSuccess;
}

void free_communicator(ncclComm_t comm) {
  if (comm->collnet) give_back_collnet(comm->id);
  delete comm;
}

}  // namespace busbar::nccl::fake

void ncclComm::send(int to, std::span<const std::byte> data) const {
  busbar::nccl::fake::Post::of_process().send(processes[static_cast<std::size_t>(to)], {id, rank, to}, data);
}

busbar::nccl::fake::Post::Letter ncclComm::receive(int from) const {
  return busbar::nccl::fake::Post::of_process().receive({id, from, rank});
}
