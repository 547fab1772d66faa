// One way of moving messages between the ranks of a group. A carrier lives as long as its group's mesh; messages of one
// rank to another are told apart by their order.
#pragma once

#include <algorithm>
#include <memory>
#include <set>

#include "transport/ucx/flight.h"
#include "transport/ucx/flow.h"
#include "transport/ucx/mesh.h"
#include "transport/ucx/settings.h"

namespace busbar::ucx {

/// A message of ours, for both input slots. `remote`: where it goes, for those who write there themselves.
struct Outgoing {
  Rank to;
  ucp_ep_h endpoint = nullptr;
  const std::byte* data[2] = {nullptr, nullptr};
  std::size_t bytes = 0;
  std::uint64_t remote = 0;
  ucp_rkey_h key = nullptr;
  Permission::Kind permission = Permission::Kind::always;
  bool receiver_waits = true;  ///< in every execution, not only when all are to be complete
};

/// A message for us. `remote`: where it comes from in each slot, for those who read there themselves.
struct Incoming {
  Rank from;
  ucp_ep_h endpoint = nullptr;
  std::byte* data = nullptr;
  std::size_t bytes = 0;
  std::uint64_t remote[2] = {0, 0};
  ucp_rkey_h key[2] = {nullptr, nullptr};
  bool sender_waits = false;  ///< the sender's executions wait for their messages to be taken
};

/// Of the messages from `to` that are yet to be received, the first `ahead` may be written.
struct Grant {
  Rank to;
  std::uint64_t ahead = 0;
};

class Carrier {
 public:
  virtual ~Carrier() = default;
  /// Gets ready for messages with these ranks, which are connected.
  virtual void meet(const std::set<Rank>& /*peers*/) {}
  /// Makes room for so many messages at once. A step's receives must all find room: sends of others wait for them.
  void reserve(std::size_t sends, std::size_t receives) {
    sends_.reserve(requests_per_send() * std::max<std::size_t>(sends, 1));
    receives_.reserve(std::max<std::size_t>(receives, 1));
    prepare_sends(sends);
    prepare_receives(receives);
  }

  /// `fresh`: all ranks had completed all before.
  virtual void begin(bool /*fresh*/) {}
  virtual void grant(const Grant& /*grant*/) {}
  virtual void post_send(const Outgoing& message, int slot) = 0;
  virtual void post_receive(const Incoming& message, int slot) = 0;
  /// No more sends follow before all are to be complete.
  virtual void end_sends() {}
  /// Return when no more than `most` of what was posted is still on its way; with 0 also what was sent may be
  /// overwritten.
  virtual void await_receives(std::size_t most) {
    if (receives_.under_way() <= most) return;
    mesh_.wait_until([&] { return receives_.under_way() <= most; });
    receives_.raise_failure("receiving");
  }
  virtual void await_sends(std::size_t most) {
    if (sends_.under_way() <= most * requests_per_send()) return;
    mesh_.wait_until([&] { return sends_.under_way() <= most * requests_per_send(); });
    sends_.raise_failure("sending");
  }

 protected:
  explicit Carrier(Mesh& mesh) : mesh_(mesh) {}
  virtual std::size_t requests_per_send() const { return 1; }
  virtual void prepare_sends(std::size_t /*most*/) {}
  virtual void prepare_receives(std::size_t /*most*/) {}

  Flight::Ticket& send_ticket() {
    if (sends_.full()) mesh_.wait_until([this] { return !sends_.full(); });
    return sends_.take();
  }
  Flight::Ticket& receive_ticket() {
    if (receives_.full()) mesh_.wait_until([this] { return !receives_.full(); });
    return receives_.take();
  }
  static ucp_request_param_t sending(Flight::Ticket& ticket) {
    ucp_request_param_t how;  // only the fields of the mask are read
    how.op_attr_mask = UCP_OP_ATTR_FIELD_CALLBACK | UCP_OP_ATTR_FIELD_USER_DATA | UCP_OP_ATTR_FIELD_MEMORY_TYPE;
    how.cb.send = Flight::sent;
    how.user_data = &ticket;
    how.memory_type = UCS_MEMORY_TYPE_HOST;
    return how;
  }

  Mesh& mesh_;
  Flight sends_;
  Flight receives_;
};

/// Collective over the group.
std::unique_ptr<Carrier> make_carrier(Method method, Mesh& mesh);

}  // namespace busbar::ucx
