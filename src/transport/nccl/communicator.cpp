#include "transport/nccl/communicator.h"

#include <exception>
#include <utility>

namespace busbar::nccl {

Communicator::Communicator(const Library& library, Site site, const ncclUniqueId& id, Rank self, int ranks,
                           ncclConfig_t config, std::string name)
    : library_(library),
      site_(std::move(site)),
      name_(library.has(2, 27) ? std::move(name) : ""),
      self_(self),
      ranks_(ranks),
      exceptions_at_birth_(std::uncaught_exceptions()) {
#if BUSBAR_NCCL_HEADER_HAS(2, 27)
  if (!name_.empty()) config.commName = name_.c_str();
#endif
  check(library_.call().comm_init(&comm_, ranks_, id, self_.value, &config), "ncclCommInitRankConfig");
}

Communicator::~Communicator() {
  if (!abort_where_broken()) library_.call().comm_destroy(comm_);
}

void Communicator::check(ncclResult_t result, std::string_view call, SourceLine where) {
  if (result == ncclSuccess) return;
  broken_ = true;
  nccl::check(library_, result, call, site_, comm_, where);
}

void Communicator::watch() {
  ncclResult_t state = ncclSuccess;
  check(library_.call().comm_async_error(comm_, &state), "ncclCommGetAsyncError");
  if (state != ncclInProgress) check(state, "an operation in flight");
}

bool Communicator::abort_where_broken() noexcept {
  if (comm_ == nullptr) return true;
  // The others may never come: a destroy would wait for them.
  if (!broken_ && std::uncaught_exceptions() <= exceptions_at_birth_) return false;
  library_.call().comm_abort(comm_);
  comm_ = nullptr;
  return true;
}

}  // namespace busbar::nccl
