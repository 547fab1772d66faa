// What carries operations out. Stream-ordered from the first day: prepare (buffers, registration, schedule), enqueue,
// complete. For host MPI enqueue does the work and complete has nothing to wait for; for a GPU both matter.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectives/collective.h"
#include "core/datatype.h"
#include "core/units.h"
#include "measure/control.h"

namespace busbar {

/// A variant's settings, by key, as the user wrote them.
using Settings = std::map<std::string, std::string>;

/// The buffers of one rank. `input[k]` are two inputs with different contents that samples take in turn, so that a
/// stale result of the previous sample is a wrong one. In place, both point to the input's place in `recv`.
struct Buffers {
  std::byte* input[2] = {nullptr, nullptr};
  std::byte* recv = nullptr;
  std::byte* scratch = nullptr;
};

/// What the library is told of the buffers beforehand: nothing, that this process uses them, or that all processes made
/// them alike (NCCL's symmetric windows).
enum class Registration : std::uint8_t { none, local, symmetric };

constexpr std::string_view name(Registration registration) {
  constexpr std::array<std::string_view, 3> names{"none", "local", "symmetric"};
  return names.at(static_cast<std::size_t>(registration));
}

/// Everything a transport needs to know of what it is to execute.
struct OperationSpec {
  const Collective* collective = nullptr;
  Shape shape;
  DataType type = DataType::float32;
  std::optional<RedOp> redop;
  bool graph = false;  ///< captured once, launched as a whole
  Registration registration = Registration::none;
  bool payload = true;     ///< without it buffers hold nothing, and nothing is computed
  Nanoseconds deadline{};  ///< for one execution; helpers outside the group have no other way to know
};

/// One prepared operation. `enqueue` and `complete` are all that stands in the timed region. After `complete` nobody
/// enqueues again before all ranks have completed and are done with their buffers: who writes into another's memory
/// rests on that.
class Operation {
 public:
  virtual ~Operation() = default;
  /// Starts one execution on input `slot` (0 or 1), ordered after those enqueued before.
  virtual void enqueue(int slot) = 0;
  /// Returns when all that was enqueued has completed and the host can see its results.
  virtual void complete() = 0;
  /// Called after every `complete`, when nothing is timed: returns when nothing that this rank sent waits in this
  /// process any more. A library that works only while it is called would else leave others waiting.
  virtual void settle() {}
  /// How long what was enqueued before the last `complete` took on the device's own clock; nothing where there is none.
  virtual std::optional<double> device_us() const { return std::nullopt; }
};

/// What ran, as far as the library lets itself be asked. Absent where it cannot be known.
struct Observation {
  std::optional<std::string> algorithm{};
  std::optional<std::string> protocol{};
  std::optional<int> channels{};
  std::optional<bool> in_network{};
  std::vector<std::string> how{};
};

/// A group of ranks under one variant's settings.
class Channel {
 public:
  virtual ~Channel() = default;
  virtual InPlaceResult in_place_result() const = 0;
  /// Elements of scratch memory that `prepare` will need for `spec`.
  virtual std::size_t scratch_elements(const OperationSpec& spec) const = 0;
  virtual std::unique_ptr<Operation> prepare(const OperationSpec& spec, const Buffers& buffers) = 0;
  /// Of the operation prepared last.
  virtual Observation observe() const = 0;
};

/// A library, opened once per process.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual std::string_view name() const = 0;
  virtual std::string library_version() const = 0;
  /// One sentence naming the first key or value that this transport does not know, or that `collective` cannot be
  /// carried out with, and what is accepted; nothing where all are fine. Every rank can call it; it changes nothing.
  virtual std::optional<std::string> objection(const Settings& settings, const Collective& collective) const = 0;
  /// One sentence naming what of `spec` cannot be carried out (a graph, a registration), and what is accepted; nothing
  /// where all is fine. The same on every rank.
  virtual std::optional<std::string> refusal(const OperationSpec& /*spec*/) const { return std::nullopt; }
  /// Whether only one channel of these settings may work at a time in a launch: what reduces in the network has one
  /// tree to give.
  virtual bool has_one_at_a_time(const Settings& /*settings*/) const { return false; }
  /// Makes the channel of a group under `settings`. Collective over the group (`members`: ranks of the launch).
  virtual std::unique_ptr<Channel> open(const std::vector<Rank>& members, const Settings& settings) = 0;
};

}  // namespace busbar
