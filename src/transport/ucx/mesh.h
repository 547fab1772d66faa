// The ranks of one group: a worker of this rank's, and an endpoint to every rank that it has messages for. Groups that
// work side by side have a worker each, so that none sees another's messages.
#pragma once

#include <sched.h>

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "measure/control.h"
#include "transport/ucx/handles.h"

namespace busbar::ucx {

class Mesh {
 public:
  /// Collective over `control`. @param share_core ranks outnumber cores: waiting lets others run
  Mesh(std::shared_ptr<ucp_context> context, std::unique_ptr<Control> control, bool share_core);
  /// Collective, unless an exception ends this rank.
  ~Mesh();
  Mesh(const Mesh&) = delete;
  Mesh& operator=(const Mesh&) = delete;
  Mesh(Mesh&&) = delete;
  Mesh& operator=(Mesh&&) = delete;

  Rank self() const { return control_->rank(); }
  int size() const { return control_->size(); }
  ucp_worker_h worker() const { return worker_.get(); }
  const std::shared_ptr<ucp_context>& context() const { return context_; }

  /// Connects to `peers`, who connect to this rank, and waits until that is done.
  void connect(const std::set<Rank>& peers);
  /// Only to ranks that are connected.
  ucp_ep_h endpoint(Rank peer) const { return endpoints_.at(static_cast<std::size_t>(peer.value)); }

  /// Every rank's bytes, by rank. Collective over the group.
  std::vector<std::string> share(std::span<const std::byte> mine);

  void progress() const {
    if (ucp_worker_progress(worker_.get()) == 0 && share_core_) sched_yield();
  }
  template <class Condition>
  void wait_until(const Condition& holds) const {
    while (!holds()) progress();
  }
  /// Waits until `peers`, who do the same, have come here too: then none of them needs this rank to work for UCX any
  /// more. (A flush would wait for the peer's answer, too, and may never get it from one who has left.)
  void settle(const std::set<Rank>& peers) const;

  /// What carries messages, one sentence for each way that some endpoint has.
  std::vector<std::string> ways() const;

 private:
  void finish(ucs_status_ptr_t request, const char* call, std::optional<Rank> peer) const;

  std::shared_ptr<ucp_context> context_;
  std::unique_ptr<Control> control_;
  bool share_core_;
  Worker worker_;
  std::vector<std::string> addresses_;
  std::vector<ucp_ep_h> endpoints_;  ///< by rank; null where there is no connection
  int exceptions_;                   ///< on their way when this was made
};

}  // namespace busbar::ucx
