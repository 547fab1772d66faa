#include "fakes/nccl/communicator.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "fakes/nccl/fault.h"

namespace busbar::nccl::fake {
namespace {

constexpr int tag_base = 20000;
constexpr int tag_count = 10000;
constexpr std::uint64_t magic = 0xfa4e;

/// What a unique id holds: who made it, and which one of theirs it is.
struct Id {
  std::uint64_t magic;
  int root;  ///< a rank of MPI_COMM_WORLD
  int number;
};

int collnets_alive = 0;

int world_rank() {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

/// Who holds which rank, as ranks of MPI_COMM_WORLD: everyone tells the id's maker, who tells everyone.
std::vector<int> meet(const Id& id, int rank, int ranks) {
  const int tag = tag_base + id.number % tag_count;
  const int self = world_rank();
  std::vector<int> places(static_cast<std::size_t>(ranks));
  if (self != id.root) {
    const std::array<int, 2> card{rank, self};
    MPI_Send(card.data(), 2, MPI_INT, id.root, tag, MPI_COMM_WORLD);
    MPI_Recv(places.data(), ranks, MPI_INT, id.root, tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    return places;
  }
  places[static_cast<std::size_t>(rank)] = self;
  for (int others = 1; others < ranks; ++others) {
    std::array<int, 2> card{};
    MPI_Recv(card.data(), 2, MPI_INT, MPI_ANY_SOURCE, tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    places[static_cast<std::size_t>(card[0])] = card[1];
  }
  for (const int place : places) {
    if (place != self) MPI_Send(places.data(), ranks, MPI_INT, place, tag, MPI_COMM_WORLD);
  }
  return places;
}

MPI_Comm connect(const Id& id, int rank, int ranks) {
  const std::vector<int> places = meet(id, rank, ranks);
  MPI_Group world = MPI_GROUP_NULL;
  MPI_Group group = MPI_GROUP_NULL;
  MPI_Comm comm = MPI_COMM_NULL;
  MPI_Comm_group(MPI_COMM_WORLD, &world);
  MPI_Group_incl(world, ranks, places.data(), &group);
  MPI_Comm_create_group(MPI_COMM_WORLD, group, tag_base + id.number % tag_count, &comm);
  MPI_Group_free(&group);
  MPI_Group_free(&world);
  return comm;
}

/// Nodes as NCCL counts them: by NCCL_HOSTID, else the host's name.
int count_nodes(MPI_Comm comm, int ranks) {
  constexpr std::size_t longest = MPI_MAX_PROCESSOR_NAME;
  std::array<char, longest> mine{};
  int length = 0;
  MPI_Get_processor_name(mine.data(), &length);
  if (const char* const named = std::getenv("NCCL_HOSTID")) std::snprintf(mine.data(), longest, "id:%s", named);
  std::vector<char> all(longest * static_cast<std::size_t>(ranks));
  MPI_Allgather(mine.data(), longest, MPI_CHAR, all.data(), longest, MPI_CHAR, comm);
  std::set<std::string> names;
  for (std::size_t r = 0; r < static_cast<std::size_t>(ranks); ++r) names.insert(all.data() + r * longest);
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

}  // namespace

std::string& last_error() {
  static std::string words;
  return words;
}

ncclResult_t fail(ncclResult_t result, const std::string& words) {
  last_error() = words;
  return result;
}

ncclResult_t make_id(ncclUniqueId& id) {
  static int made = 0;
  const Id content{magic, world_rank(), made++};
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
  made->mpi = connect(content, rank, ranks);
  made->rank = rank;
  made->ranks = ranks;
  made->nodes = count_nodes(made->mpi, ranks);
  if (config.maxCTAs != NCCL_CONFIG_UNDEF_INT) made->channels = config.maxCTAs;
  // A switch has one tree to give: whoever comes second does without, and NCCL says nothing.
  made->collnet = wants_collnet(config) && !has_fault("refuse_collnet") && collnets_alive == 0;
  if (made->collnet) ++collnets_alive;
  const std::uint64_t comm_id =
      static_cast<std::uint64_t>(content.root + 1) << 32U | static_cast<std::uint64_t>(content.number);
  made->plugins = std::make_unique<Plugins>(comm_id, made->nodes, ranks, rank);
  comm = made.release();
  return ncclSuccess;
}

void free_communicator(ncclComm_t comm) {
  if (comm->collnet) --collnets_alive;
  MPI_Comm_free(&comm->mpi);
  delete comm;
}

}  // namespace busbar::nccl::fake
