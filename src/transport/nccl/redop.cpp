#include "transport/nccl/redop.h"

#include <utility>

#include "memory/element.h"
#include "memory/pattern.h"
#include "transport/nccl/types.h"

namespace busbar::nccl {
namespace {

ncclRedOp_t builtin(RedOp redop) {
  switch (redop) {
    case RedOp::prod: return ncclProd;
    case RedOp::min: return ncclMin;
    case RedOp::max: return ncclMax;
    case RedOp::avg: return ncclAvg;
    case RedOp::sum:
    case RedOp::premulsum: break;
  }
  return ncclSum;
}

ncclRedOp_t make_premulsum(Communicator& comm, DataType type) {
  return with_type(type, [&](auto v) {
    auto scalar = element::from_integer<decltype(v)>(premultiplier(comm.self()));
    ncclRedOp_t op = ncclSum;
    comm.check(comm.call().create_premulsum(&op, &scalar, type_of(type), ncclScalarHostImmediate, comm.get()),
               "ncclRedOpCreatePreMulSum");
    return op;
  });
}

}  // namespace

Operator::Operator(std::shared_ptr<Communicator> comm, DataType type, std::optional<RedOp> redop)
    : comm_(std::move(comm)), made_(redop == RedOp::premulsum) {
  op_ = made_ ? make_premulsum(*comm_, type) : builtin(redop.value_or(RedOp::sum));
}

Operator::~Operator() {
  if (made_ && !comm_->abort_where_broken()) comm_->call().destroy_redop(op_, comm_->get());
}

}  // namespace busbar::nccl
