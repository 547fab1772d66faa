#include "fakes/nccl/post.h"

#include <sched.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace busbar::nccl::fake {
namespace {

constexpr int post_tag = 20000;  // nobody else receives it from MPI_COMM_WORLD

}  // namespace

Post& Post::of_process() {
  static Post post;
  return post;
}

int Post::process() {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

void Post::send(int process, const Lane& lane, std::span<const std::byte> content) {
  const std::lock_guard lock(mutex_);
  if (process == Post::process()) {
    arrived_[lane].emplace_back(content.begin(), content.end());
    return;
  }
  Outgoing& out = outgoing_.emplace_back();
  out.letter.resize(sizeof(Lane) + content.size());
  std::memcpy(out.letter.data(), &lane, sizeof(Lane));
  std::copy(content.begin(), content.end(), out.letter.begin() + sizeof(Lane));
  MPI_Isend(out.letter.data(), static_cast<int>(out.letter.size()), MPI_BYTE, process, post_tag, MPI_COMM_WORLD,
            &out.request);
}

Post::Letter Post::receive(const Lane& lane) {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      attend();
      const auto found = arrived_.find(lane);
      if (found != arrived_.end()) {
        Letter letter = std::move(found->second.front());
        found->second.pop_front();
        if (found->second.empty()) arrived_.erase(found);
        return letter;
      }
    }
    sched_yield();
  }
}

void Post::flush() {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      attend();
      if (outgoing_.empty()) return;
    }
    sched_yield();
  }
}

void Post::attend() {
  int here = 0;
  MPI_Message message = MPI_MESSAGE_NULL;
  MPI_Status status;
  MPI_Improbe(MPI_ANY_SOURCE, post_tag, MPI_COMM_WORLD, &here, &message, &status);
  if (here != 0) {
    int bytes = 0;
    MPI_Get_count(&status, MPI_BYTE, &bytes);
    Letter letter(static_cast<std::size_t>(bytes));
    MPI_Mrecv(letter.data(), bytes, MPI_BYTE, &message, MPI_STATUS_IGNORE);
    Lane lane{};
    std::memcpy(&lane, letter.data(), sizeof(Lane));
    arrived_[lane].emplace_back(letter.begin() + sizeof(Lane), letter.end());
  }
  outgoing_.remove_if([](Outgoing& out) {
    int gone = 0;
    MPI_Test(&out.request, &gone, MPI_STATUS_IGNORE);
    return gone != 0;
  });
}

}  // namespace busbar::nccl::fake
