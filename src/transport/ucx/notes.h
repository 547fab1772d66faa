// Numbers that ranks write into each other's memory: how far one has come, for another to see without being asked.
#pragma once

#include <array>
#include <atomic>
#include <set>
#include <vector>

#include "transport/ucx/flight.h"
#include "transport/ucx/mesh.h"

namespace busbar::ucx {

/// Two numbers for each pair of ranks and direction. They only rise; who reads one knows what to wait for.
class Notes {
 public:
  enum class Kind : std::size_t { from_sender, from_receiver };

  /// Collective over the group.
  explicit Notes(Mesh& mesh);
  /// Gets ready to write to these ranks, which are connected.
  void meet(const std::set<Rank>& peers);

  /// What `peer` wrote last.
  std::uint64_t read(Rank peer, Kind kind) const {
    std::uint64_t& cell = *reinterpret_cast<std::uint64_t*>(mapping_.data() + offset(peer, kind));
    return std::atomic_ref<std::uint64_t>(cell).load(std::memory_order_acquire);
  }

  /// Writes at `peer`, not before what was written there up to now. `ticket` is one of `flight`'s.
  void write(Rank peer, Kind kind, std::uint64_t value, Flight& flight, Flight::Ticket& ticket,
             const ucp_request_param_t& how) const {
    check(ucp_worker_fence(mesh_.worker()), "ucp_worker_fence");
    const Place& place = places_[static_cast<std::size_t>(peer.value)];
    ticket.words[0] = value;
    flight.account(ucp_put_nbx(mesh_.endpoint(peer), ticket.words, sizeof(value),
                               place.address + offset(mesh_.self(), kind), place.key.get(), &how),
                   ticket, "ucp_put_nbx", peer);
  }

 private:
  static constexpr std::size_t line = 64;  // numbers of different ranks share no cache line
  struct Place {
    std::uint64_t address = 0;
    std::string packed_key;
    RemoteKey key;
  };

  static std::size_t offset(Rank writer, Kind kind) {
    return (static_cast<std::size_t>(writer.value) * 2 + static_cast<std::size_t>(kind)) * line;
  }

  Mesh& mesh_;
  Mapping mapping_;
  std::vector<Place> places_;  ///< by rank
};

}  // namespace busbar::ucx
