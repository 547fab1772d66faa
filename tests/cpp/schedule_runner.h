// Executes a collective's portable schedule for all ranks in one process and checks the answers. It is stricter than
// any transport: a send completes only when it is received, the send buffer must not be written, and nothing that is in
// flight may overlap.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectives/collective.h"
#include "memory/host.h"
#include "memory/reduce.h"

namespace busbar::testing {

class ScheduleRunner {
 public:
  ScheduleRunner(const Collective& collective, const Shape& shape, DataType type, std::optional<RedOp> redop,
                 std::uint64_t seed)
      : collective_(collective),
        shape_(shape),
        redop_(redop.value_or(RedOp::sum)),
        pattern_{type, collective.traits().reduces ? redop : std::nullopt, shape.ranks, seed} {
    for (int rank = 0; rank < shape.ranks; ++rank) ranks_.push_back(make_rank(Rank{rank}));
  }

  /// The first thing that went wrong, in one sentence; empty where nothing did.
  std::string run() {
    bool progress = true;
    while (progress && failure_.empty()) {
      progress = false;
      for (int rank = 0; rank < shape_.ranks && failure_.empty(); ++rank) progress |= advance(rank);
    }
    if (failure_.empty()) check_all_finished();
    return failure_;
  }

  /// Wrong elements of all ranks, judged by the answers of `seed`'s inputs.
  std::uint64_t wrong(std::uint64_t seed) {
    Pattern pattern = pattern_;
    pattern.seed = seed;
    std::uint64_t wrong = 0;
    for (int rank = 0; rank < shape_.ranks; ++rank) {
      for (const Segment& segment : collective_.answer(shape_, Rank{rank})) {
        const std::byte* at = recv(rank) + segment.offset * element_bytes();
        wrong += memory_.count_wrong(at, segment.count, pattern, segment.from, segment.source_offset);
      }
    }
    return wrong;
  }
  std::uint64_t wrong() { return wrong(pattern_.seed); }

  std::byte* recv(int rank) { return buffer(rank, BufferId::recv)->data(); }
  std::byte* input(int rank) {
    State& state = ranks_.at(static_cast<std::size_t>(rank));
    const bool apart = state.layout.send > 0;
    return apart ? state.send->data() : state.recv->data() + state.layout.input_offset * element_bytes();
  }
  std::uint64_t sent_elements(int rank) const { return ranks_.at(static_cast<std::size_t>(rank)).sent; }

 private:
  struct Flight {
    int peer = 0;
    Span data;
    bool done = false;
  };

  struct State {
    Layout layout;
    Schedule schedule;
    std::unique_ptr<Allocation> send, recv, scratch;
    std::size_t step = 0;
    bool posted = false;
    std::vector<Flight> sends, receives;
    std::uint64_t sent = 0;
  };

  std::size_t element_bytes() const { return size_of(pattern_.type); }

  State make_rank(Rank self) {
    State state;
    state.layout = collective_.layout(shape_, self);
    state.schedule = collective_.schedule(shape_, self);
    const Layout& layout = state.layout;
    state.send = allocate(layout.send);
    state.recv = allocate(layout.recv);
    state.scratch = allocate(state.schedule.scratch_elements);
    if (layout.send > 0 && layout.send != layout.input) fail(self.value, "has a send buffer of the wrong size");
    if (layout.send == 0 && layout.input_offset + layout.input > layout.recv)
      fail(self.value, "has no room for its input");
    std::byte* input =
        layout.send > 0 ? state.send->data() : state.recv->data() + layout.input_offset * element_bytes();
    if (failure_.empty()) memory_.fill(input, layout.input, pattern_, self);
    return state;
  }

  /// Exactly as long as asked for, so that the address sanitizer sees what goes beyond.
  class Exact final : public Allocation {
   public:
    explicit Exact(std::size_t bytes) : bytes_(bytes) {}
    std::byte* data() const override { return bytes_.data(); }

   private:
    mutable std::vector<std::byte> bytes_;
  };

  std::unique_ptr<Allocation> allocate(std::size_t elements) {
    const std::size_t bytes = elements * element_bytes();
    auto allocation = std::make_unique<Exact>(bytes);
    memory_.poison(allocation->data(), Bytes{bytes});
    return allocation;
  }

  Allocation* buffer(int rank, BufferId id) {
    State& state = ranks_.at(static_cast<std::size_t>(rank));
    if (id == BufferId::send) return state.send.get();
    return id == BufferId::recv ? state.recv.get() : state.scratch.get();
  }

  std::byte* at(int rank, const Span& span) {
    return buffer(rank, span.buffer)->data() + span.offset * element_bytes();
  }

  void fail(int rank, const std::string& what) {
    if (failure_.empty()) failure_ = fmt::format("{}: rank {} {}", collective_.traits().name, rank, what);
  }

  bool readable(int rank, const Span& span) {
    const State& state = ranks_.at(static_cast<std::size_t>(rank));
    const std::size_t size = span.buffer == BufferId::send   ? state.layout.send
                             : span.buffer == BufferId::recv ? state.layout.recv
                                                             : state.schedule.scratch_elements;
    if (span.offset + span.count <= size) return true;
    fail(rank, fmt::format("goes beyond a buffer in step {}", state.step));
    return false;
  }

  bool writable(int rank, const Span& span) {
    if (span.buffer == BufferId::send) fail(rank, "writes its send buffer");
    return failure_.empty() && readable(rank, span);
  }

  static bool overlap(const Span& a, const Span& b) {
    return a.buffer == b.buffer && a.offset < b.offset + b.count && b.offset < a.offset + a.count;
  }

  /// Posts a step, matches what is in flight, or goes on to the next step; says whether anything happened.
  bool advance(int rank) {
    State& state = ranks_.at(static_cast<std::size_t>(rank));
    if (state.step == state.schedule.steps.size()) return false;
    const Step& step = state.schedule.steps[state.step];
    if (!state.posted) {
      post(rank, state, step);
      return true;
    }
    const bool matched = match_receives(rank, state);
    for (const auto* flights : {&state.sends, &state.receives}) {
      for (const Flight& flight : *flights) {
        if (!flight.done) return matched;
      }
    }
    for (const LocalWork& work : step.after) execute(rank, work);
    ++state.step;
    state.posted = false;
    return true;
  }

  void post(int rank, State& state, const Step& step) {
    for (const LocalWork& work : step.before) execute(rank, work);
    state.sends.clear();
    state.receives.clear();
    for (const Send& send : step.sends) {
      if (readable(rank, send.data)) state.sends.push_back({send.to.value, send.data, false});
      state.sent += send.data.count;
    }
    for (const Receive& receive : step.receives) {
      if (writable(rank, receive.data)) state.receives.push_back({receive.from.value, receive.data, false});
    }
    check_flights(rank, state);
    state.posted = true;
  }

  void check_flights(int rank, const State& state) {
    for (std::size_t i = 0; i < state.receives.size(); ++i) {
      const Flight& receive = state.receives[i];
      if (receive.peer == rank) fail(rank, "receives from itself");
      for (const Flight& send : state.sends) {
        if (overlap(receive.data, send.data)) fail(rank, "receives into what it is sending");
      }
      for (std::size_t j = 0; j < i; ++j) {
        if (overlap(receive.data, state.receives[j].data)) fail(rank, "receives twice into the same place");
      }
    }
  }

  bool match_receives(int rank, State& state) {
    bool matched = false;
    for (Flight& receive : state.receives) {
      if (!receive.done) matched |= match(rank, receive);
    }
    return matched;
  }

  /// Messages between two ranks are matched in the order in which they were posted.
  bool match(int rank, Flight& receive) {
    State& sender = ranks_.at(static_cast<std::size_t>(receive.peer));
    if (!sender.posted) return false;
    for (Flight& send : sender.sends) {
      if (send.done || send.peer != rank) continue;
      if (send.data.count != receive.data.count) {
        fail(rank, fmt::format("expects {} elements from rank {}, which sends {}", receive.data.count, receive.peer,
                               send.data.count));
        return false;
      }
      memory_.copy(at(rank, receive.data), at(receive.peer, send.data), Bytes{send.data.count * element_bytes()});
      send.done = receive.done = true;
      return true;
    }
    return false;
  }

  void execute(int rank, const LocalWork& work) {
    const Span& to = work.destination;
    if (!writable(rank, to)) return;
    if (work.kind == LocalWork::Kind::average) {
      average_in_place(pattern_.type, at(rank, to), to.count, shape_.ranks);
      return;
    }
    if (!readable(rank, work.source)) return;
    if (work.source.count != to.count || overlap(work.source, to)) return fail(rank, "works on spans that do not fit");
    if (work.kind == LocalWork::Kind::copy) {
      memory_.copy(at(rank, to), at(rank, work.source), Bytes{to.count * element_bytes()});
    } else {
      reduce_into(pattern_.type, redop_, at(rank, to), at(rank, work.source), to.count);
    }
  }

  void check_all_finished() {
    for (int rank = 0; rank < shape_.ranks; ++rank) {
      const State& state = ranks_[static_cast<std::size_t>(rank)];
      if (state.step < state.schedule.steps.size()) {
        return fail(rank, fmt::format("is stuck in step {} of {}: deadlock", state.step, state.schedule.steps.size()));
      }
    }
  }

  const Collective& collective_;
  Shape shape_;
  RedOp redop_;
  Pattern pattern_;
  HostMemory memory_;
  std::vector<State> ranks_;
  std::string failure_;
};

}  // namespace busbar::testing
