// What one aggregation node reduces on one core, against a plain n-way sum of the same arrays, which memory bounds.
//
//   aggregation_node [CHILDREN] [MEBIBYTES]
//
// The node is the real one, with its chunks and fixed order; in place of a network stands a messenger. First one whose
// messages are in the node's memory already, where a network card would have put them: this is what the node itself
// reduces, and what is judged. Then one that copies every chunk in and one result out, as a kernel's TCP does: what
// such a network leaves of it. Prints rates in GB/s = 1e9 bytes of input per second, medians of several rounds that
// alternate; exits 1 if the first is below 60 % of the plain sum.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "measure/clock.h"
#include "measure/statistics.h"
#include "transport/tree/aggregator.h"

namespace {

using namespace busbar;

constexpr double least_share = 0.60;
constexpr int rounds = 15;
constexpr std::size_t chunk_bytes = 32 * 1024;
constexpr std::size_t window = 8;

using Arrays = std::vector<std::vector<float>>;

/// Children whose messages are always there. `delivers`: copies a message when the node takes it, and one answer out;
/// else a message is in place once its receive has been posted.
class ArrayMessenger final : public tree::Messenger {
 public:
  ArrayMessenger(const Arrays& arrays, std::vector<float>& result, bool delivers)
      : arrays_(arrays), result_(result), delivers_(delivers), next_(arrays.size(), 0) {}

  void reserve(std::size_t handles) override { receives_.resize(handles); }
  void receive(Handle handle, ProcessId from, std::span<std::byte> into) override {
    receives_.at(handle) = {static_cast<std::size_t>(from.value), into};
    if (!delivers_) deliver(handle);
  }
  void send(Handle /*handle*/, ProcessId to, std::span<const std::byte> data) override {
    if (to != ProcessId{0}) return;
    if (delivers_) std::memcpy(reinterpret_cast<std::byte*>(result_.data()) + written_, data.data(), data.size());
    if (!delivers_ && written_ == 0) first_answer_ = data.data();
    written_ += data.size();
  }
  void wait(Handle /*handle*/) override {}
  std::size_t wait_any(std::span<const Handle> handles) override {
    if (delivers_) deliver(handles.front());
    return 0;
  }
  void withdraw(Handle /*handle*/) override {}

  /// The answers that lie in the node's memory, one chunk after the other.
  void copy_answers() { std::memcpy(result_.data(), first_answer_, written_); }

 private:
  struct Receive {
    std::size_t child;
    std::span<std::byte> into;
  };

  void deliver(Handle handle) {
    const auto& [child, into] = receives_[handle];
    if (next_[child] + into.size() > arrays_[child].size() * sizeof(float)) return;  // of the next execution
    std::memcpy(into.data(), reinterpret_cast<const std::byte*>(arrays_[child].data()) + next_[child], into.size());
    next_[child] += into.size();
  }

  const Arrays& arrays_;
  std::vector<float>& result_;
  bool delivers_;
  std::vector<std::size_t> next_;
  std::size_t written_ = 0;
  const std::byte* first_answer_ = nullptr;
  std::vector<Receive> receives_;
};

/// Seconds that the node takes for all chunks.
double through_the_node(const Clock& clock, const Arrays& arrays, std::vector<float>& result, bool delivers) {
  const std::size_t chunk = chunk_bytes / sizeof(float);
  const tree::Job job{.flow = TreeFlow::reduce_to_all,
                      .type = DataType::float32,
                      .redop = RedOp::sum,
                      .ranks = static_cast<int>(arrays.size()),
                      .elements = result.size(),
                      .chunk = chunk,
                      .window = delivers ? window : result.size() / chunk};
  tree::Node node;
  for (int c = 0; c < job.ranks; ++c) node.children.push_back({ProcessId{c}, {Rank{c}}});
  ArrayMessenger messenger(arrays, result, delivers);
  messenger.reserve(tree::Aggregator::handles(job, node));
  tree::Aggregator aggregator(job, node, 0, 1, 0, messenger);
  aggregator.open();
  const std::size_t messages = tree::Plan(job).chunks() * arrays.size();
  const Nanoseconds begin = clock.now();
  for (std::size_t m = 0; m < messages; ++m) aggregator.take(messenger.wait_any(aggregator.awaited()));
  const double seconds = as_us(clock.now() - begin) / 1e6;
  if (!delivers) messenger.copy_answers();
  return seconds;
}

/// Every input is read once and the result written once; nothing else touches memory.
void sum(const Arrays& arrays, std::vector<float>& result) {
  float* const to = result.data();
  if (arrays.size() == 4) {
    const float *a = arrays[0].data(), *b = arrays[1].data(), *c = arrays[2].data(), *d = arrays[3].data();
    for (std::size_t i = 0; i < result.size(); ++i) to[i] = a[i] + b[i] + c[i] + d[i];
    return;
  }
  constexpr std::size_t block = 2048;  // stays in the first-level cache
  for (std::size_t at = 0; at < result.size(); at += block) {
    const std::size_t end = std::min(result.size(), at + block);
    for (std::size_t i = at; i < end; ++i) to[i] = arrays[0][i];
    for (std::size_t k = 1; k < arrays.size(); ++k) {
      for (std::size_t i = at; i < end; ++i) to[i] += arrays[k][i];
    }
  }
}

double plainly(const Clock& clock, const Arrays& arrays, std::vector<float>& result) {
  const Nanoseconds begin = clock.now();
  sum(arrays, result);
  return as_us(clock.now() - begin) / 1e6;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t children = argc > 1 ? std::stoul(argv[1]) : 4;
  const std::size_t elements = (argc > 2 ? std::stoul(argv[2]) : 64) * 1024 * 1024 / sizeof(float);
  Arrays arrays(children);
  for (std::size_t k = 0; k < children; ++k) arrays[k].assign(elements, static_cast<float>(k + 1));
  std::vector<float> plain(elements);
  std::vector<float> reduced(elements);

  const MonotonicClock clock(false);
  std::vector<double> plain_s;
  std::vector<double> node_s;
  std::vector<double> delivered_s;
  bool right = true;
  for (int round = 0; round < rounds; ++round) {
    plain_s.push_back(plainly(clock, arrays, plain));
    node_s.push_back(through_the_node(clock, arrays, reduced, false));
    right = right && plain == reduced;
    delivered_s.push_back(through_the_node(clock, arrays, reduced, true));
    right = right && plain == reduced;
  }
  if (!right) {
    fmt::print(stderr, "aggregation_node: the node's result is wrong\n");
    return 1;
  }
  const double gigabytes = static_cast<double>(children * elements * sizeof(float)) / 1e9;
  const auto share = [&](std::vector<double>& seconds) { return 100 * median(plain_s) / median(seconds); };
  fmt::print("{} children, {} MiB each: plain sum {:.2f} GB/s\n", children, elements * sizeof(float) >> 20U,
             gigabytes / median(plain_s));
  fmt::print("  aggregation node              {:.2f} GB/s, {:.0f} % of it (wanted: {:.0f} %)\n",
             gigabytes / median(node_s), share(node_s), 100 * least_share);
  fmt::print("  with copies in and out, too   {:.2f} GB/s, {:.0f} %\n", gigabytes / median(delivered_s),
             share(delivered_s));
  return share(node_s) >= 100 * least_share ? 0 : 1;
}
