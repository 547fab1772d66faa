// method=get: the sender tells how many messages are ready, the receiver reads them out of the sender's memory and then
// tells how many it has taken; only then may the sender overwrite them.
#pragma once

#include "transport/ucx/carrier.h"
#include "transport/ucx/notes.h"

namespace busbar::ucx {

class ByGet final : public Carrier {
 public:
  explicit ByGet(Mesh& mesh) : Carrier(mesh), notes_(mesh), peers_(static_cast<std::size_t>(mesh.size())) {
    sent_to_.reserve(peers_.size());
    took_from_.reserve(peers_.size());
  }

  void meet(const std::set<Rank>& peers) override { notes_.meet(peers); }
  void post_send(const Outgoing& m, int slot) override;
  void post_receive(const Incoming& m, int slot) override;
  void await_receives(std::size_t most) override;
  void await_sends(std::size_t most) override;

 protected:
  void prepare_receives(std::size_t most) override { waiting_.reserve(most); }

 private:
  struct Peer {
    std::uint64_t sent = 0;
    std::uint64_t expected = 0;
    std::uint64_t begun = 0;  ///< of those that are expected
    std::uint64_t told = 0;   ///< of those that have been taken
    bool sent_to = false;
    bool took_from = false;
    bool waits = false;  ///< as Incoming::sender_waits
  };
  struct Waiting {
    const Incoming* message = nullptr;
    std::uint64_t number = 0;
    int slot = 0;
  };
  Peer& peer(Rank rank) { return peers_[static_cast<std::size_t>(rank.value)]; }
  void tell(Rank to, Notes::Kind kind, std::uint64_t value);
  /// Reads what has become ready; tells senders who wait for it what has been taken.
  void work();
  void tell_taken(bool all);

  Notes notes_;
  std::vector<Peer> peers_;
  std::vector<Waiting> waiting_;  ///< until the sender says that it is ready
  std::vector<Rank> sent_to_;     ///< since the last full wait, each once
  std::vector<Rank> took_from_;
};

}  // namespace busbar::ucx
