#include "transport/mpi_types.h"

#include <array>

#include "memory/reduce.h"

namespace busbar::mpi {
namespace {

Type two_byte_type() {
  MPI_Datatype type = MPI_DATATYPE_NULL;
  check(MPI_Type_contiguous(2, MPI_BYTE, &type), "MPI_Type_contiguous");
  Type owned{type};
  check(MPI_Type_commit(&type), "MPI_Type_commit");
  return owned;
}

template <DataType type, RedOp redop>
void reduce_callback(void* source, void* destination, int* count, MPI_Datatype* /*type*/) {
  reduce_into(type, redop, static_cast<std::byte*>(destination), static_cast<const std::byte*>(source),
              static_cast<std::size_t>(*count));
}

template <DataType type, RedOp redop>
Op make_op() {
  MPI_Op op = MPI_OP_NULL;
  check(MPI_Op_create(&reduce_callback<type, redop>, /*commute=*/1, &op), "MPI_Op_create");
  return Op{op};
}

MPI_Op builtin(RedOp redop) {
  switch (redop) {
    case RedOp::prod: return MPI_PROD;
    case RedOp::min: return MPI_MIN;
    case RedOp::max: return MPI_MAX;
    case RedOp::sum:
    case RedOp::avg: break;
  }
  return MPI_SUM;
}

}  // namespace

TypeTable::TypeTable()
    : half_(two_byte_type()),
      bfloat16_(two_byte_type()),
      sum_half_(make_op<DataType::half, RedOp::sum>()),
      prod_half_(make_op<DataType::half, RedOp::prod>()),
      min_half_(make_op<DataType::half, RedOp::min>()),
      max_half_(make_op<DataType::half, RedOp::max>()),
      sum_bfloat16_(make_op<DataType::bfloat16, RedOp::sum>()),
      prod_bfloat16_(make_op<DataType::bfloat16, RedOp::prod>()),
      min_bfloat16_(make_op<DataType::bfloat16, RedOp::min>()),
      max_bfloat16_(make_op<DataType::bfloat16, RedOp::max>()) {}

MPI_Datatype TypeTable::type(DataType type) const {
  switch (type) {
    case DataType::int8: return MPI_INT8_T;
    case DataType::uint8: return MPI_UINT8_T;
    case DataType::int32: return MPI_INT32_T;
    case DataType::uint32: return MPI_UINT32_T;
    case DataType::int64: return MPI_INT64_T;
    case DataType::uint64: return MPI_UINT64_T;
    case DataType::half: return half_.get();
    case DataType::bfloat16: return bfloat16_.get();
    case DataType::float32: return MPI_FLOAT;
    case DataType::float64: break;
  }
  return MPI_DOUBLE;
}

MPI_Op TypeTable::op(DataType type, RedOp redop) const {
  if (type != DataType::half && type != DataType::bfloat16) return builtin(redop);
  const bool half = type == DataType::half;
  switch (redop) {
    case RedOp::prod: return half ? prod_half_.get() : prod_bfloat16_.get();
    case RedOp::min: return half ? min_half_.get() : min_bfloat16_.get();
    case RedOp::max: return half ? max_half_.get() : max_bfloat16_.get();
    case RedOp::sum:
    case RedOp::avg: break;
  }
  return half ? sum_half_.get() : sum_bfloat16_.get();
}

}  // namespace busbar::mpi
