#include "transport/ucx/by_put.h"

namespace busbar::ucx {

void ByPut::grant(const Grant& g) { tell(g.to, Notes::Kind::from_receiver, peer(g.to).expected + g.ahead); }

void ByPut::begin(bool fresh) {
  fresh_ = fresh;
  if (!held_.empty()) write_held();
}

void ByPut::post_send(const Outgoing& m, int slot) {
  Peer& to = peer(m.to);
  const std::uint64_t number = ++to.sent;
  const bool ask =
      m.permission == Permission::Kind::when_told || (m.permission == Permission::Kind::when_fresh && !fresh_);
  if (ask) mesh_.wait_until([&] { return notes_.read(m.to, Notes::Kind::from_receiver) >= number; });
  if (m.receiver_waits) {
    write(m, slot);
    tell(m.to, Notes::Kind::from_sender, number);
    return;
  }
  held_.push_back({&m, slot});
  if (!to.owed) owed_.push_back(m.to);
  to.owed = true;
}

void ByPut::write(const Outgoing& m, int slot) {
  if (m.bytes == 0) return;
  Flight::Ticket& ticket = send_ticket();
  const ucp_request_param_t how = sending(ticket);
  sends_.account(ucp_put_nbx(m.endpoint, m.data[slot], m.bytes, m.remote, m.key, &how), ticket, "ucp_put_nbx", m.to);
}

void ByPut::write_held() {
  for (const Held& h : held_) write(*h.message, h.slot);
  held_.clear();
}

void ByPut::end_sends() {
  if (!held_.empty()) {
    check(ucp_worker_fence(mesh_.worker()), "ucp_worker_fence");
    write_held();
  }
  for (const Rank to : owed_) {
    tell(to, Notes::Kind::from_sender, peer(to).sent);
    peer(to).owed = false;
  }
  owed_.clear();
}

void ByPut::post_receive(const Incoming& m, int /*slot*/) {
  Peer& from = peer(m.from);
  ++from.expected;
  if (!from.awaited) awaited_.push_back(m.from);
  from.awaited = true;
}

void ByPut::await_receives(std::size_t most) {
  if (most > 0) return;  // they cost this rank nothing
  for (const Rank from : awaited_) {
    const std::uint64_t expected = peer(from).expected;
    mesh_.wait_until([&] { return notes_.read(from, Notes::Kind::from_sender) >= expected; });
    peer(from).awaited = false;
  }
  awaited_.clear();
}

}  // namespace busbar::ucx
