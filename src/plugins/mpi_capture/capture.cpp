#include "plugins/mpi_capture/capture.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>

#include "plugins/mpi_capture/json.h"
#include "plugins/mpi_capture/names.h"

namespace busbar::plugins {
namespace {

int world_rank() {
  int rank = 0;
  PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

// "0-3,8", as records write groups.
std::string ranges(std::vector<int> ranks) {
  std::sort(ranks.begin(), ranks.end());
  std::string text;
  for (std::size_t first = 0; first < ranks.size();) {
    std::size_t last = first;
    while (last + 1 < ranks.size() && ranks[last + 1] == ranks[last] + 1) ++last;
    if (!text.empty()) text += ',';
    text += std::to_string(ranks[first]);
    if (last > first) text += '-' + std::to_string(ranks[last]);
    first = last + 1;
  }
  return text;
}

}  // namespace

Capture& Capture::of_process() {
  static Capture* const capture = new Capture;
  return *capture;
}

Capture::Capture() : process_(this_process()) {
  const char* out = std::getenv("BUSBAR_CAPTURE_OUT");
  if (out == nullptr || *out == '\0') {
    // All ranks know it, so one says it.
    if (world_rank() == 0) warn("BUSBAR_CAPTURE_OUT names no folder, so nothing is captured");
    return;
  }
  std::string trouble;
  ReportFile file(report_path(out, "mpi", process_), trouble);
  if (!trouble.empty()) {
    warn("BUSBAR_CAPTURE_OUT: " + trouble + ", so nothing is captured of this process");
    return;
  }
  if (PMPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, MPI_COMM_NULL_DELETE_FN, &key_, nullptr) != MPI_SUCCESS) {
    warn("MPI gives no attribute for communicators, so nothing is captured of this process");
    return;
  }
  file_ = std::move(file);
}

void Capture::warn(const std::string& trouble) const {
  std::fprintf(stderr, "busbar-capture-mpi: rank %d on %s: %s\n", world_rank(), process_.host.c_str(), trouble.c_str());
}

void Capture::count(MPI_Comm communicator, const Seen& seen) noexcept {
  if (!file_) return;
  try {
    RankGroup* const group = group_of(communicator);
    if (group == nullptr) return;
    Call call;
    call.function = seen.function;
    call.op = operator_name(seen.op);
    call.blocking = seen.blocking;
    if (seen.part != Seen::Part::unknown) {
      int element_bytes = 0;
      if (seen.type != MPI_DATATYPE_NULL) {
        PMPI_Type_size(seen.type, &element_bytes);
        call.datatype = datatype_name(seen.type);
      }
      const std::int64_t shares = seen.part == Seen::Part::share ? group->ranks : 1;
      call.bytes = static_cast<std::uint64_t>(seen.elements * element_bytes * shares);
    }
    group->store.add(call);
  } catch (...) {
    // Out of memory: this call is not counted.
  }
}

RankGroup* Capture::group_of(MPI_Comm communicator) {
  void* found = nullptr;
  int known = 0;
  PMPI_Comm_get_attr(communicator, key_, &found, &known);
  if (known != 0) return static_cast<RankGroup*>(found);
  RankGroup* const group = find_group(communicator);
  PMPI_Comm_set_attr(communicator, key_, group);
  return group;
}

// Null for what no workload is of: two groups that talk to each other, and a single rank.
RankGroup* Capture::find_group(MPI_Comm communicator) {
  int between_groups = 0;
  int ranks = 0;
  PMPI_Comm_test_inter(communicator, &between_groups);
  PMPI_Comm_size(communicator, &ranks);
  if (between_groups != 0 || ranks < 2) return nullptr;
  const std::string world_ranks = world_ranks_of(communicator, ranks);
  const std::lock_guard lock(mutex_);
  auto& group = groups_[world_ranks.empty() ? "of several worlds, " + std::to_string(ranks) : world_ranks];
  if (group == nullptr) {
    group = std::make_unique<RankGroup>();
    group->world_ranks = world_ranks;
    group->ranks = ranks;
    PMPI_Comm_rank(communicator, &group->rank);
  }
  return group.get();
}

// "" where some of them are not in this process's MPI_COMM_WORLD.
std::string Capture::world_ranks_of(MPI_Comm communicator, int ranks) {
  std::vector<int> here(static_cast<std::size_t>(ranks));
  std::vector<int> in_world(here.size(), MPI_UNDEFINED);
  std::iota(here.begin(), here.end(), 0);
  MPI_Group group = MPI_GROUP_NULL;
  MPI_Group world = MPI_GROUP_NULL;
  PMPI_Comm_group(communicator, &group);
  PMPI_Comm_group(MPI_COMM_WORLD, &world);
  PMPI_Group_translate_ranks(group, ranks, here.data(), world, in_world.data());
  PMPI_Group_free(&group);
  PMPI_Group_free(&world);
  if (std::find(in_world.begin(), in_world.end(), MPI_UNDEFINED) != in_world.end()) return "";
  return ranges(std::move(in_world));
}

void Capture::write() noexcept {
  if (!file_) return;
  try {
    const std::lock_guard lock(mutex_);
    for (const auto& [ranks, group] : groups_) file_->append(to_json_line(process_, *group));
  } catch (...) {
    // Out of memory: what is not written is lost.
  }
}

}  // namespace busbar::plugins
