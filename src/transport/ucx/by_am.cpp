#include "transport/ucx/by_am.h"

#include <algorithm>
#include <cstring>
#include <exception>

namespace busbar::ucx {
namespace {

constexpr unsigned message_id = 1;

ucs_status_t set_handler(ucp_worker_h worker, ucp_am_recv_callback_t handler, void* argument) {
  ucp_am_handler_param_t params{};
  params.field_mask = UCP_AM_HANDLER_PARAM_FIELD_ID | UCP_AM_HANDLER_PARAM_FIELD_CB | UCP_AM_HANDLER_PARAM_FIELD_ARG;
  params.id = message_id;
  params.cb = handler;
  params.arg = argument;
  return ucp_worker_set_am_recv_handler(worker, &params);
}

}  // namespace

ByAm::ByAm(Mesh& mesh) : Carrier(mesh), peers_(static_cast<std::size_t>(mesh.size())) {
  check(set_handler(mesh.worker(), &ByAm::arrived, this), "ucp_worker_set_am_recv_handler");
}

ByAm::~ByAm() {
  for (const Peer& p : peers_) {
    for (const Early& early : p.early) {
      if (early.kept != nullptr) ucp_am_data_release(mesh_.worker(), early.kept);
    }
  }
  set_handler(mesh_.worker(), nullptr, nullptr);
}

void ByAm::post_send(const Outgoing& m, int slot) {
  Flight::Ticket& ticket = send_ticket();
  const ucp_request_param_t how = sending(ticket);
  ticket.words[0] = static_cast<std::uint64_t>(mesh_.self().value);
  ticket.words[1] = ++peer(m.to).sent;
  static_assert(sizeof(Header) == sizeof(ticket.words));
  sends_.account(ucp_am_send_nbx(m.endpoint, message_id, ticket.words, sizeof(Header), m.data[slot], m.bytes, &how),
                 ticket, "ucp_am_send_nbx", m.to);
}

void ByAm::post_receive(const Incoming& m, int /*slot*/) {
  Flight::Ticket& ticket = receive_ticket();
  Peer& from = peer(m.from);
  const std::uint64_t number = ++from.expected;
  const auto early = std::find_if(from.early.begin(), from.early.end(), [&](auto& e) { return e.number == number; });
  if (early == from.early.end()) {
    from.posted.push_back({number, &m, &ticket});
    return;
  }
  const Early taken = std::move(*early);
  from.early.erase(early);
  deliver_early(m, taken, ticket);
}

void ByAm::await_receives(std::size_t most) {
  Carrier::await_receives(most);
  if (failure_) std::rethrow_exception(failure_);
}

void ByAm::deliver_early(const Incoming& m, const Early& early, Flight::Ticket& ticket) {
  if (early.rendezvous) return fetch(m, early.kept, ticket);
  const void* const data = early.copy ? early.copy.get() : early.kept;
  if (early.bytes > 0) std::memcpy(m.data, data, early.bytes);
  if (!early.copy) ucp_am_data_release(mesh_.worker(), early.kept);
  receives_.give_back(ticket);
}

void ByAm::fetch(const Incoming& m, void* descriptor, Flight::Ticket& ticket) {
  ucp_request_param_t how = sending(ticket);
  how.cb.recv_am = Flight::am_received;
  receives_.account(ucp_am_recv_data_nbx(mesh_.worker(), descriptor, m.data, m.bytes, &how), ticket,
                    "ucp_am_recv_data_nbx", m.from);
}

ucs_status_t ByAm::arrived(void* self, const void* header, std::size_t header_length, void* data, std::size_t length,
                           const ucp_am_recv_param_t* param) {
  auto& carrier = *static_cast<ByAm*>(self);
  Header read;
  if (header_length != sizeof(read)) return UCS_OK;  // nobody sends such
  std::memcpy(&read, header, sizeof(read));
  try {
    return carrier.take(read, data, length, param->recv_attr);
  } catch (...) {
    carrier.failure_ = std::current_exception();
    return UCS_OK;
  }
}

ucs_status_t ByAm::take(const Header& header, void* data, std::size_t length, std::uint64_t attributes) {
  Peer& from = peers_.at(header.sender);
  const bool rendezvous = (attributes & UCP_AM_RECV_ATTR_FLAG_RNDV) != 0;
  const auto posted =
      std::find_if(from.posted.begin(), from.posted.end(), [&](auto& p) { return p.number == header.number; });
  if (posted != from.posted.end()) {
    const Posted matched = *posted;
    from.posted.erase(posted);
    if (rendezvous) {
      fetch(*matched.message, data, *matched.ticket);
      return UCS_INPROGRESS;
    }
    if (length > 0) std::memcpy(matched.message->data, data, length);
    receives_.give_back(*matched.ticket);
    return UCS_OK;
  }
  Early early{.number = header.number, .kept = data, .copy = nullptr, .bytes = length, .rendezvous = rendezvous};
  const bool keeps = rendezvous || (attributes & UCP_AM_RECV_ATTR_FLAG_DATA) != 0;
  if (!keeps) {
    early.kept = nullptr;
    early.copy = std::make_unique<std::byte[]>(length);
    if (length > 0) std::memcpy(early.copy.get(), data, length);
  }
  from.early.push_back(std::move(early));
  return keeps ? UCS_INPROGRESS : UCS_OK;
}

}  // namespace busbar::ucx
