#include "transport/mpi_operators.h"

#include <stdexcept>

#include "memory/reduce.h"

namespace busbar::mpi {
namespace {

template <DataType type, RedOp redop>
void reduce_callback(void* source, void* destination, int* count, MPI_Datatype* /*type*/) {
  reduce_into(type, redop, static_cast<std::byte*>(destination), static_cast<const std::byte*>(source),
              static_cast<std::size_t>(*count));
}

MPI_Op builtin(RedOp redop) {
  switch (redop) {
    case RedOp::sum:
    case RedOp::avg: return MPI_SUM;
    case RedOp::prod: return MPI_PROD;
    case RedOp::min: return MPI_MIN;
    case RedOp::max: return MPI_MAX;
    case RedOp::premulsum: break;
  }
  throw std::logic_error("MPI has no premulsum");
}

}  // namespace

Op make_op(MPI_User_function* function) {
  MPI_Op op = MPI_OP_NULL;
  check(MPI_Op_create(function, /*commute=*/1, &op), "MPI_Op_create");
  return Op{op};
}

template <DataType type>
LibraryOperators::SmallFloat LibraryOperators::make() {
  return {make_op(&reduce_callback<type, RedOp::sum>), make_op(&reduce_callback<type, RedOp::prod>),
          make_op(&reduce_callback<type, RedOp::min>), make_op(&reduce_callback<type, RedOp::max>)};
}

LibraryOperators::LibraryOperators()
    : float8_e4m3_(make<DataType::float8_e4m3>()),
      float8_e5m2_(make<DataType::float8_e5m2>()),
      half_(make<DataType::half>()),
      bfloat16_(make<DataType::bfloat16>()) {}

const LibraryOperators::SmallFloat* LibraryOperators::small_float(DataType type) const {
  switch (type) {
    case DataType::float8_e4m3: return &float8_e4m3_;
    case DataType::float8_e5m2: return &float8_e5m2_;
    case DataType::half: return &half_;
    case DataType::bfloat16: return &bfloat16_;
    default: return nullptr;
  }
}

MPI_Op LibraryOperators::op(DataType type, RedOp redop, bool /*payload*/) const {
  const SmallFloat* const own = small_float(type);
  if (own == nullptr) return builtin(redop);
  switch (redop) {
    case RedOp::sum:
    case RedOp::avg: return own->sum.get();
    case RedOp::prod: return own->prod.get();
    case RedOp::min: return own->min.get();
    case RedOp::max: return own->max.get();
    case RedOp::premulsum: break;
  }
  throw std::logic_error("MPI has no premulsum");
}

}  // namespace busbar::mpi
