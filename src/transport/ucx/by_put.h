// method=put: the sender writes into the receiver's memory, then tells it how many messages have been written. Where
// that memory may still be in use, the sender waits until the receiver has said how far it may go. A receiver that
// looks only when all is to be complete is told only then.
#pragma once

#include "transport/ucx/carrier.h"
#include "transport/ucx/notes.h"

namespace busbar::ucx {

class ByPut final : public Carrier {
 public:
  explicit ByPut(Mesh& mesh) : Carrier(mesh), notes_(mesh), peers_(static_cast<std::size_t>(mesh.size())) {
    awaited_.reserve(peers_.size());
    owed_.reserve(peers_.size());
  }

  void meet(const std::set<Rank>& peers) override { notes_.meet(peers); }
  void begin(bool fresh) override;
  void grant(const Grant& g) override;
  void post_send(const Outgoing& m, int slot) override;
  void post_receive(const Incoming& m, int slot) override;
  void end_sends() override;
  void await_receives(std::size_t most) override;

 protected:
  std::size_t requests_per_send() const override { return 2; }
  void prepare_sends(std::size_t most) override { held_.reserve(most); }

 private:
  struct Peer {
    std::uint64_t sent = 0;
    std::uint64_t expected = 0;
    bool awaited = false;
    bool owed = false;
  };
  struct Held {
    const Outgoing* message = nullptr;
    int slot = 0;
  };
  void write(const Outgoing& m, int slot);
  void write_held();
  Peer& peer(Rank rank) { return peers_[static_cast<std::size_t>(rank.value)]; }
  void tell(Rank to, Notes::Kind kind, std::uint64_t value) {
    Flight::Ticket& ticket = send_ticket();
    notes_.write(to, kind, value, sends_, ticket, sending(ticket));
  }

  Notes notes_;
  std::vector<Peer> peers_;
  std::vector<Rank> awaited_;  ///< whose messages are expected, each once
  std::vector<Rank> owed_;     ///< who are yet to be told what has been written, each once
  /// Of the last execution whose receivers look only at the end: as all of them go to the same place, where the last
  /// must stay, it is written after a fence, and the others need none.
  std::vector<Held> held_;
  bool fresh_ = true;
};

}  // namespace busbar::ucx
