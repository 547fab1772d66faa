#include "measure/watchdog.h"

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/or_null.h"

namespace busbar {
namespace {

// Signals are the working thread's affair (MPI, the debugger, Ctrl-C).
void block_signals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

std::optional<Nanoseconds> overdue(const Progress::Snapshot& at, Nanoseconds now) {
  const auto deadline = at.deadline();
  if (!deadline || now < *deadline) return std::nullopt;
  return now - at.since;
}

std::string hang_line(const Progress::Snapshot& at, const WatchdogOptions& who, Nanoseconds waited) {
  const bool has_point = at.size_bytes.has_value();
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(waited).count();
  nlohmann::ordered_json line;
  line["rank"] = or_null<nlohmann::ordered_json>(at.rank);
  line["host"] = who.host;
  line["role"] = name(who.role);
  line["sequence"] = at.sequence;
  line["phase"] = name(at.phase);
  line["operation"] = has_point ? nlohmann::ordered_json(at.operation) : nullptr;
  line["size_bytes"] = or_null<nlohmann::ordered_json>(at.size_bytes);
  line["variant"] = at.variant.empty() ? nullptr : nlohmann::ordered_json(at.variant);
  line["waits_for"] = at.waits_for ? nlohmann::ordered_json(at.waits_for->value) : nullptr;
  line["waited_s"] = static_cast<double>(milliseconds) / 1000.0;
  // A name that was cut within a character must not cost the whole line: `replace`, not the default `strict`.
  return "busbar-watchdog: " + line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Watchdog::Watchdog(const Progress& progress, const Clock& clock, WatchdogOptions options)
    : progress_(progress), clock_(clock), options_(std::move(options)), thread_([this](const std::stop_token& stop) {
        block_signals();
        run(stop);
      }) {}

void Watchdog::look() {
  const std::lock_guard lock(mutex_);
  look_ = true;
  wake_.notify_all();
}

void Watchdog::run(const std::stop_token& stop) {
  Nanoseconds noticed{};
  for (bool hangs = false; !hangs;) {
    // The time first: should this thread lose its core in between, the phase is judged by too early a time, never too
    // late.
    noticed = clock_.now();
    const auto at = progress_.read();
    const auto waited = overdue(at, noticed);
    const auto deadline = at.deadline();
    const Nanoseconds rest = deadline ? *deadline - noticed : longest_nap;
    if (waited) {
      say(hang_line(at, options_, *waited));
      hangs = true;
    } else if (!nap(stop, std::min(rest, longest_nap))) {
      return;
    }
  }
  const Nanoseconds end = noticed + options_.grace;
  for (Nanoseconds now = clock_.now(); now < end; now = clock_.now()) {
    if (!nap(stop, end - now)) return;
  }
  options_.exit();
}

// Sleeps for at most `longest`, less if asked to look; false when it is time to stop.
bool Watchdog::nap(const std::stop_token& stop, Nanoseconds longest) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, stop, longest, [this] { return look_; });
  look_ = false;
  return !stop.stop_requested();
}

// One write of less than PIPE_BUF bytes: lines of several ranks do not mix in the launcher's pipe.
void Watchdog::say(const std::string& line) const {
  ssize_t written = 0;
  do {
    written = write(options_.fd, line.data(), line.size());
  } while (written < 0 && errno == EINTR);
}

}  // namespace busbar
