#include "transport/tree/aggregator.h"

#include <algorithm>
#include <utility>

#include "memory/reduce.h"

namespace busbar::tree {
namespace {

constexpr std::size_t cache_line = 64;

}  // namespace

Aggregator::Aggregator(const Job& job, Node node, std::size_t tree, std::size_t trees, Handle first_handle,
                       Messenger& messenger, Intake* intake)
    : plan_(job),
      node_(std::move(node)),
      tree_(tree),
      trees_(trees),
      mine_((plan_.chunks() - tree + trees - 1) / trees),
      first_handle_(first_handle),
      messenger_(messenger),
      intake_(intake),
      real_(job.payload && intake == nullptr),
      element_(size_of(job.type)),
      slot_bytes_((std::min(job.chunk, job.elements) * element_ + cache_line - 1) / cache_line * cache_line),
      memory_((job.payload ? (children() + 1) * job.window : 1) * slot_bytes_ + cache_line),
      others_(children() - 1) {
  awaited_.reserve(children() + 1);
}

std::size_t Aggregator::handles(const Job& job, const Node& node) {
  return (2 * node.children.size() + 2) * job.window;
}

std::byte* Aggregator::memory(std::size_t sequence, std::size_t from) {
  const auto start = reinterpret_cast<std::uintptr_t>(memory_.data());
  const std::size_t to_line = (cache_line - start % cache_line) % cache_line;
  const std::size_t place = job().payload ? from * job().window + slot(sequence) : 0;
  return memory_.data() + to_line + place * slot_bytes_;
}

/// The child whose branch has the chunk's owner; their number where none has.
std::size_t Aggregator::child_of(const Chunk& chunk) const {
  if (!chunk.owner) return children();
  const auto found = std::find_if(node_.children.begin(), node_.children.end(),
                                  [&](const Child& child) { return child.has(*chunk.owner); });
  return static_cast<std::size_t>(found - node_.children.begin());
}

void Aggregator::open() {
  for (std::size_t sequence = 0; sequence < job().window; ++sequence) post(sequence);
  await_next();
}

/// All of a chunk's receives. Its memory is in use from here until its answer has left.
void Aggregator::post(std::size_t sequence) {
  const Chunk now = chunk(sequence);
  const std::size_t bytes = now.count * element_;
  const std::size_t owner = child_of(now);
  for (std::size_t c = 0; c < children(); ++c) {
    messenger_.receive(child_handle(sequence, c), node_.children[c].process,
                       {memory(sequence, c), plan_.carries_up(c == owner) ? bytes : 0});
  }
  if (is_top()) return;
  messenger_.receive(parent_handle(sequence), *node_.parent,
                     {memory(sequence, children()), plan_.carries_down(owner < children()) ? bytes : 0});
}

void Aggregator::await_next() {
  awaited_.clear();
  for (std::size_t c = 0; c < children(); ++c) awaited_.push_back(child_handle(up_, c));
  if (down_ < up_) awaited_.push_back(parent_handle(down_));
}

void Aggregator::take(std::size_t place) {
  const Handle taken = awaited_[place];
  if (down_ < up_ && taken == parent_handle(down_)) {
    const Chunk now = chunk(down_);
    const bool own = !plan_.reduces() && owner_below(now);
    awaited_.erase(awaited_.begin() + static_cast<std::ptrdiff_t>(place));
    send_down(memory(down_, own ? child_of(now) : children()));
    if (down_ < up_) awaited_.push_back(parent_handle(down_));
    return;
  }
  awaited_.erase(awaited_.begin() + static_cast<std::ptrdiff_t>(place));
  const bool parent_awaited = down_ < up_;
  if (awaited_.size() > (parent_awaited ? 1U : 0U)) return;
  send_up();
  await_next();
}

std::byte* Aggregator::combine(std::size_t sequence) {
  const Chunk now = chunk(sequence);
  if (!plan_.reduces()) return owner_below(now) ? memory(sequence, child_of(now)) : nullptr;
  if (real_) {
    reduce(sequence, now.count);
  } else {
    if (job().payload) reduce(sequence, now.count);
    // Trees that reduce at the same switch share its pace.
    const Bytes taken_in{children() * now.count * element_ * trees_};
    if (intake_ != nullptr) intake_->take_in(taken_in, sequence % mine_ == 0);
  }
  return memory(sequence, 0);
}

/// What the children sent, into the first one's memory.
void Aggregator::reduce(std::size_t sequence, std::size_t elements) {
  std::byte* const result = memory(sequence, 0);
  for (std::size_t c = 1; c < children(); ++c) others_[c - 1] = memory(sequence, c);
  reduce_all_into(job().type, job().redop, result, others_, elements);
  if (is_top() && job().redop == RedOp::avg) average_in_place(job().type, result, elements, job().ranks);
}

/// All children's messages of chunk `up_` are here.
void Aggregator::send_up() {
  const std::size_t sequence = up_++;
  const std::byte* const data = combine(sequence);
  if (is_top()) return send_down(data);
  const Chunk now = chunk(sequence);
  const bool carries = plan_.carries_up(owner_below(now));
  messenger_.send(up_handle(sequence), *node_.parent, {data, carries ? now.count * element_ : 0});
}

/// Answers chunk `down_` and makes its memory free for the one that is a window further.
void Aggregator::send_down(const std::byte* data) {
  const std::size_t sequence = down_++;
  const Chunk now = chunk(sequence);
  const std::size_t owner = child_of(now);
  for (std::size_t c = 0; c < children(); ++c) {
    messenger_.send(down_handle(sequence, c), node_.children[c].process,
                    {data, plan_.carries_down(c == owner) ? now.count * element_ : 0});
  }
  for (std::size_t c = 0; c < children(); ++c) messenger_.wait(down_handle(sequence, c));
  if (!is_top()) messenger_.wait(up_handle(sequence));
  post(sequence + job().window);
}

ProcessId Aggregator::waits_for() const {
  const bool parent_awaited = down_ < up_;
  const bool collecting = awaited_.size() - (parent_awaited ? 1U : 0U) < children();
  // While no child has begun the next chunk, it is the answer to an earlier one that all of them wait for.
  if (parent_awaited && !collecting) return *node_.parent;
  const auto child =
      std::find_if(awaited_.begin(), awaited_.end(), [&](Handle h) { return h != parent_handle(down_); });
  return node_.children[(*child - first_handle_) / job().window].process;
}

void Aggregator::close() {
  for (std::size_t sequence = up_; sequence < up_ + job().window; ++sequence) {
    for (std::size_t c = 0; c < children(); ++c) messenger_.withdraw(child_handle(sequence, c));
    if (!is_top()) messenger_.withdraw(parent_handle(sequence));
  }
}

}  // namespace busbar::tree
