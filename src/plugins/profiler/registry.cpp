#include "plugins/profiler/registry.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace busbar::plugins {
namespace {

// Enough to ask after a communicator was destroyed, and bounded for programs that make and destroy them in a loop.
constexpr std::ptrdiff_t most_closed = 16;

struct WriteAtExit {
  WriteAtExit() = default;
  WriteAtExit(const WriteAtExit&) = delete;
  WriteAtExit& operator=(const WriteAtExit&) = delete;
  ~WriteAtExit() { Registry::of_process().write_open(); }
};

}  // namespace

Registry& Registry::of_process() {
  static Registry* const registry = new Registry;
  return *registry;
}

Communicator& Registry::open(const CommunicatorFacts& facts, nccl_abi::Logger logger) {
  static const WriteAtExit write_at_exit;
  auto communicator = std::make_unique<Communicator>();
  communicator->facts = facts;
  const std::lock_guard lock(mutex_);
  if (process_.pid == 0) start(logger);
  communicator->handle = ++last_handle_;
  communicators_.push_back(std::move(communicator));
  return *communicators_.back();
}

void Registry::start(nccl_abi::Logger logger) {
  process_ = this_process();
  pid_ = process_.pid;
  const char* out = std::getenv("BUSBAR_PROFILE_OUT");
  if (out == nullptr || *out == '\0') return;
  std::string trouble;
  file_.emplace(report_path(out, "nccl", process_), trouble);
  if (!trouble.empty() && logger != nullptr) {
    logger(nccl_abi::log_warning, nccl_abi::log_profile, __FILE__, __LINE__, "PROFILER/Busbar: BUSBAR_PROFILE_OUT: %s",
           trouble.c_str());
  }
}

void Registry::close(Communicator& communicator) {
  if (pid_ != getpid()) return;
  const std::lock_guard lock(mutex_);
  communicator.open = false;
  if (file_) file_->append(to_json_line(process_, communicator));
  forget_old();
}

void Registry::write_open() {
  if (pid_ != getpid()) return;
  const std::lock_guard lock(mutex_);
  if (!file_) return;
  for (const auto& communicator : communicators_) {
    if (communicator->open) file_->append(to_json_line(process_, *communicator));
  }
}

void Registry::forget_old() {
  auto closed = std::count_if(communicators_.begin(), communicators_.end(), [](const auto& c) { return !c->open; });
  std::erase_if(communicators_, [&closed](const auto& c) { return !c->open && closed-- > most_closed; });
}

}  // namespace busbar::plugins
