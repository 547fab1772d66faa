// Control planes made of nothing but messages between two ranks: trees for what has a root, dissemination for barriers.
#pragma once

#include <memory>
#include <vector>

#include "measure/control.h"
#include "measure/endpoint.h"

namespace busbar {

/// The control plane of one group. `number` keeps groups apart that have ranks in common.
class EndpointControl final : public Control {
 public:
  /// @param members ranks of the launch, the endpoint's own among them
  EndpointControl(Endpoint& endpoint, std::vector<Rank> members, int number);
  Rank rank() const override { return self_; }
  int size() const override { return static_cast<int>(members_.size()); }
  void barrier() override;
  void broadcast(std::span<std::byte> data) override;
  std::vector<std::byte> gather(std::span<const std::byte> mine) override;
  void send(Rank to, std::span<const std::byte> data) override { endpoint_.send(member(to.value), direct_, data); }
  void receive(Rank from, std::span<std::byte> data) override { endpoint_.receive(member(from.value), direct_, data); }

 private:
  Rank member(int rank) const { return members_.at(static_cast<std::size_t>(rank)); }

  Endpoint& endpoint_;
  std::vector<Rank> members_;
  Rank self_;
  Lane together_;  ///< of collective calls, which must not meet what `send` sends
  Lane direct_;
};

/// One rank's control planes, over an endpoint that must outlive it and them.
class EndpointControls final : public Controls {
 public:
  /// All ranks of the endpoint are workers.
  explicit EndpointControls(Endpoint& endpoint);
  Control& workers() override { return *workers_; }
  std::unique_ptr<Control> of(const std::vector<Rank>& members) override;

 private:
  int agree_on_number(const std::vector<Rank>& members);

  Endpoint& endpoint_;
  std::unique_ptr<Control> workers_;
  int next_number_;  ///< no group that this rank is in has it, or a higher one
};

}  // namespace busbar
