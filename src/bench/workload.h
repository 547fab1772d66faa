// One prepared point on one rank: its buffers filled with known inputs, its operation, and the check of its answer.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "measure/sampler.h"
#include "memory/space.h"
#include "transport/transport.h"

namespace busbar {

struct Verification {
  std::uint64_t checked = 0;
  std::uint64_t wrong = 0;
};

class Workload final : public Subject {
 public:
  /// Allocates, fills and prepares. `seed` makes the data of this visit; `self` is the rank in the group.
  Workload(Channel& channel, MemorySpace& space, const OperationSpec& spec, Rank self, std::uint64_t seed);

  Operation& operation() override { return *operation_; }
  void renew(int slot) override;
  void poison() override;
  /// The same on all ranks, though in place only some may have their input in their output.
  bool survives_batch() const override { return !spec_.shape.in_place; }

  /// Compares every element of this rank's output with the known answer for input `slot`.
  Verification verify(int slot) const;

 private:
  Pattern pattern(int slot) const;
  /// Where the input lies in the output, in place.
  std::byte* own_input() const { return recv_->data() + layout_.input_offset * element_; }

  MemorySpace& space_;
  OperationSpec spec_;
  Rank self_;
  std::uint64_t seed_;
  Layout layout_;
  std::size_t element_;
  bool shares_buffer_;  ///< this rank's input lies in its output
  std::unique_ptr<Allocation> pristine_[2];
  std::unique_ptr<Allocation> recv_;
  std::unique_ptr<Allocation> scratch_;
  std::unique_ptr<Operation> operation_;
};

}  // namespace busbar
