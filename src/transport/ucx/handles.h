// RAII for UCX's handles, and UCX's errors as exceptions.
#pragma once

#include <ucp/api/ucp.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/units.h"

namespace busbar::ucx {

/// @throws RuntimeError naming the call, the peer if there is one, and UCX's own words, unless `status` is UCS_OK.
void check(ucs_status_t status, std::string_view call, std::optional<Rank> peer = std::nullopt);

template <auto Free>
struct FreedBy {
  template <class T>
  void operator()(T* handle) const noexcept {
    Free(handle);
  }
};
template <class Handle, auto Free>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, FreedBy<Free>>;

using Context = Owned<ucp_context_h, ucp_cleanup>;
using Worker = Owned<ucp_worker_h, ucp_worker_destroy>;
using RemoteKey = Owned<ucp_rkey_h, ucp_rkey_destroy>;

/// A context that can do all that the methods need. @param processes that one worker may talk to
std::shared_ptr<ucp_context> open_context(int processes);

/// A worker for one thread.
Worker open_worker(ucp_context_h context);

/// What other processes must know of a worker to reach it.
std::vector<std::byte> address_of(ucp_worker_h worker);

/// Memory that UCX allocated, so that whatever lies between two processes can reach it: shared memory cannot be made of
/// memory that is there already.
class Mapping {
 public:
  Mapping(std::shared_ptr<ucp_context> context, Bytes size);
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  Mapping(Mapping&&) = delete;
  Mapping& operator=(Mapping&&) = delete;

  std::byte* data() const { return data_; }
  Bytes size() const { return size_; }
  /// What others must know to write and read here.
  std::vector<std::byte> packed_key() const;

 private:
  std::shared_ptr<ucp_context> context_;
  ucp_mem_h handle_ = nullptr;
  std::byte* data_ = nullptr;
  Bytes size_;
};

}  // namespace busbar::ucx
