// An aggregation node's part: combine what comes up, pass it on, spread what comes down. It answers for as long as its
// job lasts and knows no beginning or end of an execution: its chunks follow each other like a ring without end.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "transport/tree/intake.h"
#include "transport/tree/messenger.h"
#include "transport/tree/plan.h"
#include "transport/tree/shape.h"

namespace busbar::tree {

class Aggregator {
 public:
  using Handle = Messenger::Handle;

  /// `node`'s part of `job` on tree `tree` of `trees`. Uses handles from `first_handle` on.
  /// @param intake null where reducing takes the time it takes; must outlive the aggregator
  Aggregator(const Job& job, Node node, std::size_t tree, std::size_t trees, Handle first_handle, Messenger& messenger,
             Intake* intake = nullptr);

  /// Handles that the messenger must have room for, beyond `first_handle`.
  static std::size_t handles(const Job& job, const Node& node);

  /// Posts the first window. Before this, nothing sent to the node finds a place.
  void open();
  /// What the node can go on with, any of it.
  std::span<const Handle> awaited() const { return awaited_; }
  /// Takes the message at this place in `awaited()`.
  void take(std::size_t place);
  /// Nothing of any chunk is here that has not been answered.
  bool at_rest() const { return up_ == down_ && awaited_.size() == node_.children.size(); }
  /// Whose message it lacks.
  ProcessId waits_for() const;
  /// Takes its receives back. Only at rest.
  void close();

 private:
  std::size_t slot(std::size_t sequence) const { return sequence % job().window; }
  Chunk chunk(std::size_t sequence) const { return plan_.at(sequence % mine_ * trees_ + tree_); }
  const Job& job() const { return plan_.job(); }
  bool is_top() const { return !node_.parent; }
  std::size_t children() const { return node_.children.size(); }

  /// Memory for the message from child `from`, or from the parent where `from` = children().
  std::byte* memory(std::size_t sequence, std::size_t from);
  std::size_t child_of(const Chunk& chunk) const;
  bool owner_below(const Chunk& chunk) const { return child_of(chunk) < children(); }

  Handle child_handle(std::size_t sequence, std::size_t child) const {
    return first_handle_ + child * job().window + slot(sequence);
  }
  Handle parent_handle(std::size_t sequence) const { return child_handle(sequence, children()); }
  Handle up_handle(std::size_t sequence) const { return child_handle(sequence, children() + 1); }
  Handle down_handle(std::size_t sequence, std::size_t child) const {
    return child_handle(sequence, children() + 2 + child);
  }

  void post(std::size_t sequence);
  void await_next();
  /// Where the chunk lies once all children's messages are here; null where it comes from above.
  std::byte* combine(std::size_t sequence);
  void reduce(std::size_t sequence, std::size_t elements);
  void send_up();
  void send_down(const std::byte* data);

  Plan plan_;
  Node node_;
  std::size_t tree_;
  std::size_t trees_;
  std::size_t mine_;  ///< chunks of one execution on this tree
  Handle first_handle_;
  Messenger& messenger_;
  Intake* intake_;
  bool real_;  ///< neither without payload nor at an intake's pace
  std::size_t element_;
  std::size_t slot_bytes_;
  std::vector<std::byte> memory_;
  std::vector<const std::byte*> others_;
  std::vector<Handle> awaited_;
  std::size_t up_ = 0;    ///< the chunk whose messages are being collected
  std::size_t down_ = 0;  ///< the chunk whose answer comes next
};

}  // namespace busbar::tree
