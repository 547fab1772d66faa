// method=tag: messages are matched by their tag, which is the sender.
#pragma once

#include "transport/ucx/carrier.h"

namespace busbar::ucx {

class ByTag final : public Carrier {
 public:
  explicit ByTag(Mesh& mesh) : Carrier(mesh), own_tag_(static_cast<ucp_tag_t>(mesh.self().value)) {}

  void post_send(const Outgoing& m, int slot) override {
    Flight::Ticket& ticket = send_ticket();
    const ucp_request_param_t how = sending(ticket);
    sends_.account(ucp_tag_send_nbx(m.endpoint, m.data[slot], m.bytes, own_tag_, &how), ticket, "ucp_tag_send_nbx",
                   m.to);
  }

  void post_receive(const Incoming& m, int /*slot*/) override {
    Flight::Ticket& ticket = receive_ticket();
    ucp_request_param_t how = sending(ticket);
    how.cb.recv = Flight::tag_received;
    receives_.account(
        ucp_tag_recv_nbx(mesh_.worker(), m.data, m.bytes, static_cast<ucp_tag_t>(m.from.value), ~ucp_tag_t{0}, &how),
        ticket, "ucp_tag_recv_nbx", m.from);
  }

 private:
  ucp_tag_t own_tag_;
};

}  // namespace busbar::ucx
