#include "transport/nccl/registration.h"

#include <fmt/format.h>

#include "core/error.h"

namespace busbar::nccl {
namespace {

struct Stretch {
  std::byte* memory = nullptr;
  std::size_t bytes = 0;
};

/// What an operation uses on one rank, without what is empty. An input in place is a part of the output.
std::vector<Stretch> stretches(const OperationSpec& spec, const Buffers& buffers, Rank self) {
  const Layout layout = spec.collective->layout(spec.shape, self);
  const std::size_t element = size_of(spec.type);
  std::vector<Stretch> used;
  if (layout.send > 0) {
    for (std::byte* const input : buffers.input) used.push_back({input, layout.send * element});
  }
  if (layout.recv > 0) used.push_back({buffers.recv, layout.recv * element});
  return used;
}

bool alike_on_all_ranks(const OperationSpec& spec) {
  const Layout first = spec.collective->layout(spec.shape, Rank{0});
  for (int rank = 1; rank < spec.shape.ranks; ++rank) {
    const Layout other = spec.collective->layout(spec.shape, Rank{rank});
    if (other.send != first.send || other.recv != first.recv) return false;
  }
  return true;
}

}  // namespace

std::optional<std::string> registration_refusal(const Library& library, const OperationSpec& spec) {
  if (spec.registration == Registration::local && library.call().comm_register == nullptr) {
    return fmt::format(
        "registration=local needs NCCL 2.19 or newer, in the build and at run time (which has {}); "
        "accepted is none",
        library.version().text());
  }
  if (spec.registration != Registration::symmetric) return std::nullopt;
  if (!library.has(2, 27)) {
    return fmt::format(
        "registration=symmetric needs NCCL 2.27 or newer, in the build and at run time (which has {}); "
        "accepted: none, local",
        library.version().text());
  }
  if (!alike_on_all_ranks(spec)) {
    return fmt::format(
        "registration=symmetric needs buffers of one size on all ranks, which {} has not; accepted: "
        "none, local",
        spec.collective->traits().name);
  }
  return std::nullopt;
}

Registrations::Registrations(std::shared_ptr<Communicator> comm, const Ledger& ledger, const OperationSpec& spec,
                             const Buffers& buffers)
    : comm_(std::move(comm)) {
  for (const auto& [memory, bytes] : stretches(spec, buffers, comm_->self())) {
    if (spec.registration == Registration::local) add_local(memory, bytes);
    if (spec.registration != Registration::symmetric) continue;
    if (!ledger.holds(memory, bytes)) {
      throw UsageError(
          "registration=symmetric needs memory from ncclMemAlloc and these buffers are from elsewhere; "
          "accepted: none, local");
    }
    add_window(memory, bytes);
  }
}

Registrations::~Registrations() {
  if (comm_->abort_where_broken()) return;
  for (void* const handle : local_) comm_->call().comm_deregister(comm_->get(), handle);
#if BUSBAR_NCCL_HEADER_HAS(2, 27)
  for (const ncclWindow_t window : windows_) comm_->call().window_deregister(comm_->get(), window);
#endif
}

void Registrations::add_local(std::byte* memory, std::size_t bytes) {
  local_.reserve(local_.size() + 1);
  void* handle = nullptr;
  comm_->check(comm_->call().comm_register(comm_->get(), memory, bytes, &handle), "ncclCommRegister");
  local_.push_back(handle);
}

void Registrations::add_window([[maybe_unused]] std::byte* memory, [[maybe_unused]] std::size_t bytes) {
#if BUSBAR_NCCL_HEADER_HAS(2, 27)
  windows_.reserve(windows_.size() + 1);
  ncclWindow_t window = nullptr;
  comm_->check(comm_->call().window_register(comm_->get(), memory, bytes, &window, NCCL_WIN_COLL_SYMMETRIC),
               "ncclCommWindowRegister");
  windows_.push_back(window);
#endif
}

}  // namespace busbar::nccl
