// Where this process is: written by the one working thread in a few nanoseconds, read by the watchdog at any moment.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "core/units.h"

namespace busbar {

enum class Phase : std::uint8_t { init, idle, prepare, warmup, start, operation, complete, gather, verify, finish };

/// The phase's name as the watchdog's line carries it.
constexpr std::string_view name(Phase phase) {
  constexpr std::array<std::string_view, 10> names{"init",      "idle",     "prepare", "warmup", "start",
                                                   "operation", "complete", "gather",  "verify", "finish"};
  return names.at(static_cast<std::size_t>(phase));
}

/// A seqlock with one writer: the writer never waits, a reader reads again when the writer came in between.
class Progress {
 public:
  /// What the reader sees: one consistent moment.
  struct Snapshot {
    std::optional<int> rank;     ///< none before `set_rank`
    std::uint64_t sequence = 0;  ///< visits begun × 2^32, plus phases entered since
    Phase phase = Phase::init;
    Nanoseconds since{};    ///< when the phase was entered, on the working thread's clock
    Nanoseconds limit{};    ///< how long a phase may take
    std::string operation;  ///< empty before the first point
    std::string variant;
    std::optional<std::uint64_t> size_bytes;  ///< none before the first point
    std::optional<ProcessId> waits_for;       ///< whose message is missing, where that is known

    /// When the watchdog must act; none in `idle`: a process may wait for the next request as long as it likes.
    std::optional<Nanoseconds> deadline() const {
      if (phase == Phase::idle) return std::nullopt;
      return since + limit;
    }
  };

  /// Begins in `Phase::init` at `now`; `limit` holds for each phase until `begin_point` gives another.
  Progress(Nanoseconds now, Nanoseconds limit) {
    since_.store(now.count());
    limit_.store(limit.count());
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Once the launch has numbered its processes. Written once, so outside the seqlock.
  void set_rank(ProcessId rank) { rank_.store(rank.value, std::memory_order_release); }

  /// The point that the following phases belong to and how long each of them may take. Outside the timed region.
  /// Names longer than `text_bytes` are cut.
  void begin_point(std::string_view operation, Bytes size, std::string_view variant, Nanoseconds limit) noexcept {
    open();
    put(operation_, operation);
    put(variant_, variant);
    size_bytes_.store(size.value, std::memory_order_release);
    has_point_.store(true, std::memory_order_release);
    limit_.store(limit.count(), std::memory_order_release);
    close();
  }

  /// A visit begins on all ranks, those outside its group too: from here on sequences can be compared again.
  void begin_visit() noexcept {
    constexpr std::uint64_t phases_of_a_visit = std::uint64_t{1} << 32U;
    open();
    const std::uint64_t visits = sequence_.load(std::memory_order_relaxed) / phases_of_a_visit;
    sequence_.store((visits + 1) * phases_of_a_visit, std::memory_order_release);
    close();
  }

  /// Enters `phase` at `now`, a reading the caller has already taken. All ranks of a group enter the same phases in the
  /// same order, so that of several hung ranks the one with the lowest sequence is the one the others wait for.
  void enter(Phase phase, Nanoseconds now) noexcept {
    open();
    sequence_.store(sequence_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    since_.store(now.count(), std::memory_order_release);
    phase_.store(phase, std::memory_order_release);
    waits_for_.store(nobody, std::memory_order_release);
    close();
  }

  /// Within a phase: the process without whose message it cannot go on. Forgotten when the next phase begins.
  void set_waits_for(ProcessId process) noexcept { waits_for_.store(process.value, std::memory_order_release); }

  /// Any thread. Allocates; never blocks the writer.
  Snapshot read() const {
    for (;;) {
      const std::uint64_t before = version_.load(std::memory_order_acquire);
      if (before % 2 != 0) continue;
      Snapshot s;
      s.sequence = sequence_.load(std::memory_order_acquire);
      s.phase = phase_.load(std::memory_order_acquire);
      s.since = Nanoseconds{since_.load(std::memory_order_acquire)};
      s.limit = Nanoseconds{limit_.load(std::memory_order_acquire)};
      s.operation = get(operation_);
      s.variant = get(variant_);
      if (has_point_.load(std::memory_order_acquire)) s.size_bytes = size_bytes_.load(std::memory_order_acquire);
      if (const int peer = waits_for_.load(std::memory_order_acquire); peer != nobody) s.waits_for = ProcessId{peer};
      if (version_.load(std::memory_order_relaxed) != before) continue;
      if (const int rank = rank_.load(std::memory_order_acquire); rank >= 0) s.rank = rank;
      return s;
    }
  }

  /// Room for a name: operations and variants are short words; the line must stay below PIPE_BUF to be written at once.
  static constexpr std::size_t text_bytes = 128;

 private:
  // Text in words: eight bytes a store, and every access atomic, so that the race that a seqlock wins by reading again
  // is no data race to the language (or to ThreadSanitizer, which does not follow fences: hence release and acquire on
  // each access, which cost nothing on x86 and little on ARM).
  using Word = std::uint64_t;
  using Text = std::array<std::atomic<Word>, text_bytes / sizeof(Word)>;

  static constexpr int nobody = -1;

  void open() noexcept { version_.store(version_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }
  void close() noexcept { version_.store(version_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

  static void put(Text& to, std::string_view text) noexcept {
    std::array<Word, text_bytes / sizeof(Word)> words{};
    std::memcpy(words.data(), text.data(), std::min(text.size(), text_bytes));
    for (std::size_t i = 0; i < words.size(); ++i) to[i].store(words[i], std::memory_order_release);
  }

  static std::string get(const Text& from) {
    std::array<char, text_bytes> bytes;
    for (std::size_t i = 0; i < from.size(); ++i) {
      const Word word = from[i].load(std::memory_order_acquire);
      std::memcpy(bytes.data() + i * sizeof(Word), &word, sizeof(Word));
    }
    return {bytes.begin(), std::find(bytes.begin(), bytes.end(), '\0')};
  }

  std::atomic<std::uint64_t> version_{0};  // odd while the writer is inside
  std::atomic<std::uint64_t> sequence_{0};
  std::atomic<std::int64_t> since_{0};
  std::atomic<Phase> phase_{Phase::init};
  std::atomic<std::int64_t> limit_{0};
  std::atomic<std::uint64_t> size_bytes_{0};
  std::atomic<bool> has_point_{false};
  std::atomic<int> rank_{-1};
  std::atomic<int> waits_for_{nobody};
  Text operation_{};
  Text variant_{};
};

}  // namespace busbar
