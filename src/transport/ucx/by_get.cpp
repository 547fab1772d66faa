#include "transport/ucx/by_get.h"

namespace busbar::ucx {

void ByGet::tell(Rank to, Notes::Kind kind, std::uint64_t value) {
  Flight::Ticket& ticket = send_ticket();
  notes_.write(to, kind, value, sends_, ticket, sending(ticket));
}

void ByGet::post_send(const Outgoing& m, int /*slot*/) {
  Peer& to = peer(m.to);
  if (!to.sent_to) sent_to_.push_back(m.to);
  to.sent_to = true;
  tell(m.to, Notes::Kind::from_sender, ++to.sent);
}

void ByGet::post_receive(const Incoming& m, int slot) {
  Peer& from = peer(m.from);
  if (!from.took_from) took_from_.push_back(m.from);
  from.took_from = true;
  from.waits = m.sender_waits;
  waiting_.push_back({&m, ++from.expected, slot});
  work();
}

void ByGet::work() {
  const auto read_if_ready = [this](const Waiting& w) {
    const Incoming& m = *w.message;
    if (notes_.read(m.from, Notes::Kind::from_sender) < w.number) return false;
    if (m.bytes > 0 && receives_.full()) return false;
    ++peer(m.from).begun;
    if (m.bytes == 0) return true;
    Flight::Ticket& ticket = receives_.take();
    const ucp_request_param_t how = sending(ticket);
    receives_.account(ucp_get_nbx(m.endpoint, m.data, m.bytes, m.remote[w.slot], m.key[w.slot], &how), ticket,
                      "ucp_get_nbx", m.from);
    return true;
  };
  std::erase_if(waiting_, read_if_ready);
  if (!took_from_.empty() && receives_.under_way() == 0) tell_taken(false);
}

void ByGet::tell_taken(bool all) {
  std::erase_if(took_from_, [&](Rank from) {
    Peer& p = peer(from);
    if (!all && !p.waits) return false;
    if (p.told < p.begun) tell(from, Notes::Kind::from_receiver, p.begun);
    p.told = p.begun;
    p.took_from = p.begun < p.expected;
    return !p.took_from;
  });
}

void ByGet::await_receives(std::size_t most) {
  mesh_.wait_until([&] {
    work();
    return waiting_.size() + receives_.under_way() <= most;
  });
  receives_.raise_failure("ucp_get_nbx");
  if (most == 0) tell_taken(true);
}

void ByGet::await_sends(std::size_t most) {
  Carrier::await_sends(most);
  if (most > 0) return;
  for (const Rank to : sent_to_) {
    const std::uint64_t sent = peer(to).sent;
    mesh_.wait_until([&] { return notes_.read(to, Notes::Kind::from_receiver) >= sent; });
    peer(to).sent_to = false;
  }
  sent_to_.clear();
}

}  // namespace busbar::ucx
