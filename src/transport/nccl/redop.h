// A reduction operator for one operation: one of NCCL's own, or one made for it.
#pragma once

#include <nccl.h>

#include <memory>
#include <optional>

#include "core/datatype.h"
#include "transport/nccl/communicator.h"

namespace busbar::nccl {

class Operator {
 public:
  /// avg of integers too: NCCL rounds towards zero, as pattern.h expects. premulsum is made with the rank's scalar,
  /// which NCCL copies at once. @throws as Communicator::check.
  Operator(std::shared_ptr<Communicator> comm, DataType type, std::optional<RedOp> redop);
  ~Operator();
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;
  Operator(Operator&&) = delete;
  Operator& operator=(Operator&&) = delete;

  ncclRedOp_t get() const { return op_; }

 private:
  std::shared_ptr<Communicator> comm_;
  ncclRedOp_t op_ = ncclSum;
  bool made_ = false;
};

}  // namespace busbar::nccl
