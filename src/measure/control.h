// The control plane of a group: how its ranks agree outside the timed region. Small, so that tests run it in one
// process.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "core/units.h"

namespace busbar {

class Control {
 public:
  virtual ~Control() = default;
  virtual Rank rank() const = 0;
  virtual int size() const = 0;
  bool is_root() const { return rank() == Rank{0}; }

  virtual void barrier() = 0;
  /// Rank 0's bytes reach every rank; `data` has the same length everywhere.
  virtual void broadcast(std::span<std::byte> data) = 0;
  /// Every rank's bytes, the same length everywhere, in rank order, at rank 0; empty elsewhere.
  virtual std::vector<std::byte> gather(std::span<const std::byte> mine) = 0;
  /// A small message between two ranks; used to read each other's clocks.
  virtual void send(Rank to, std::span<const std::byte> data) = 0;
  virtual void receive(Rank from, std::span<std::byte> data) = 0;
};

/// One rank's control planes: that of all workers of the launch, and one for every group that asks for it.
class Controls {
 public:
  virtual ~Controls() = default;
  virtual Control& workers() = 0;
  /// The members' own, in their order. Collective over the members; those in several groups make them in one order.
  virtual std::unique_ptr<Control> of(const std::vector<Rank>& members) = 0;
};

/// Typed front ends for trivially copyable values.
template <class T>
void broadcast_value(Control& control, T& value) {
  control.broadcast(std::as_writable_bytes(std::span{&value, 1}));
}

template <class T>
std::vector<T> gather_values(Control& control, std::span<const T> mine) {
  const auto raw = control.gather(std::as_bytes(mine));
  std::vector<T> all(raw.size() / sizeof(T));
  std::copy(raw.begin(), raw.end(), reinterpret_cast<std::byte*>(all.data()));
  return all;
}

template <class T>
std::vector<T> gather_value(Control& control, const T& mine) {
  return gather_values(control, std::span{&mine, 1});
}

}  // namespace busbar
