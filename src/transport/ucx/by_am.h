// method=am: active messages. Short ones come with their data, which are copied out; long ones ask for a place and are
// then put there by UCX.
#pragma once

#include <exception>
#include <memory>
#include <vector>

#include "transport/ucx/carrier.h"

namespace busbar::ucx {

class ByAm final : public Carrier {
 public:
  explicit ByAm(Mesh& mesh);
  ~ByAm() override;
  ByAm(const ByAm&) = delete;
  ByAm& operator=(const ByAm&) = delete;
  ByAm(ByAm&&) = delete;
  ByAm& operator=(ByAm&&) = delete;

  void post_send(const Outgoing& m, int slot) override;
  void post_receive(const Incoming& m, int slot) override;
  void await_receives(std::size_t most) override;

 private:
  struct Header {
    std::uint64_t sender = 0;
    std::uint64_t number = 0;
  };
  /// A receive that waits for its message.
  struct Posted {
    std::uint64_t number = 0;
    const Incoming* message = nullptr;
    Flight::Ticket* ticket = nullptr;
  };
  /// A message that waits for its receive: UCX's own, kept, or a copy where UCX would not let it be kept.
  struct Early {
    std::uint64_t number = 0;
    void* kept = nullptr;
    std::unique_ptr<std::byte[]> copy;
    std::size_t bytes = 0;
    bool rendezvous = false;
  };
  struct Peer {
    std::uint64_t sent = 0;
    std::uint64_t expected = 0;
    std::vector<Posted> posted;
    std::vector<Early> early;
  };

  static ucs_status_t arrived(void* self, const void* header, std::size_t header_length, void* data, std::size_t length,
                              const ucp_am_recv_param_t* param);
  ucs_status_t take(const Header& header, void* data, std::size_t length, std::uint64_t attributes);
  /// Has UCX put a long message into place.
  void fetch(const Incoming& m, void* descriptor, Flight::Ticket& ticket);
  void deliver_early(const Incoming& m, const Early& early, Flight::Ticket& ticket);
  Peer& peer(Rank rank) { return peers_[static_cast<std::size_t>(rank.value)]; }

  std::vector<Peer> peers_;
  std::exception_ptr failure_;  ///< in the handler, through which nothing may be thrown
};

}  // namespace busbar::ucx
