// Requests that UCX has under way: a fixed number of tickets, one for each, so that posting allocates nothing.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "transport/ucx/handles.h"

namespace busbar::ucx {

class Flight {
 public:
  struct Ticket {
    Flight* flight = nullptr;
    std::uint64_t words[2] = {0, 0};  ///< what travels with the request and must live as long
  };

  Flight() = default;
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;
  Flight(Flight&&) = delete;
  Flight& operator=(Flight&&) = delete;
  ~Flight() = default;

  /// Makes room for so many requests at once.
  void reserve(std::size_t most) {
    while (tickets_.size() < most) free_.push_back(&tickets_.emplace_back(Ticket{.flight = this}));
    free_.reserve(tickets_.size());
  }
  bool full() const { return free_.empty(); }
  std::size_t under_way() const { return tickets_.size() - free_.size(); }

  /// Only where it is not full.
  Ticket& take() {
    Ticket& ticket = *free_.back();
    free_.pop_back();
    return ticket;
  }

  void give_back(Ticket& ticket) { free_.push_back(&ticket); }

  /// What UCX answered to the request that `ticket` was taken for. Without a request UCX is done already.
  void account(ucs_status_ptr_t posted, Ticket& ticket, const char* call, Rank peer) {
    if (UCS_PTR_IS_PTR(posted)) return;
    give_back(ticket);
    if (posted != nullptr) check(UCS_PTR_STATUS(posted), call, peer);
  }

  /// @throws RuntimeError where a request has failed.
  void raise_failure(const char* call) const {
    if (failure_ != UCS_OK) check(failure_, call);
  }

  static void sent(void* request, ucs_status_t status, void* ticket) { land(request, status, ticket); }
  static void tag_received(void* request, ucs_status_t status, const ucp_tag_recv_info_t* /*info*/, void* ticket) {
    land(request, status, ticket);
  }
  static void am_received(void* request, ucs_status_t status, std::size_t /*length*/, void* ticket) {
    land(request, status, ticket);
  }

 private:
  static void land(void* request, ucs_status_t status, void* its_ticket) {
    auto* const ticket = static_cast<Ticket*>(its_ticket);
    Flight& flight = *ticket->flight;
    if (status != UCS_OK) flight.failure_ = status;
    flight.give_back(*ticket);
    ucp_request_free(request);
  }

  std::deque<Ticket> tickets_;
  std::vector<Ticket*> free_;
  ucs_status_t failure_ = UCS_OK;
};

}  // namespace busbar::ucx
