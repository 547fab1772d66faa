#include "transport/mpi_types.h"

#include <stdexcept>

#include "memory/reduce.h"

namespace busbar::mpi {
namespace {

Type opaque_type(std::size_t bytes) {
  MPI_Datatype type = MPI_DATATYPE_NULL;
  check(MPI_Type_contiguous(static_cast<int>(bytes), MPI_BYTE, &type), "MPI_Type_contiguous");
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

template <DataType type>
TypeTable::SmallFloat TypeTable::make() {
  return {opaque_type(size_of(type)), make_op<type, RedOp::sum>(), make_op<type, RedOp::prod>(),
          make_op<type, RedOp::min>(), make_op<type, RedOp::max>()};
}

TypeTable::TypeTable()
    : float8_e4m3_(make<DataType::float8_e4m3>()),
      float8_e5m2_(make<DataType::float8_e5m2>()),
      half_(make<DataType::half>()),
      bfloat16_(make<DataType::bfloat16>()) {}

const TypeTable::SmallFloat* TypeTable::small_float(DataType type) const {
  switch (type) {
    case DataType::float8_e4m3: return &float8_e4m3_;
    case DataType::float8_e5m2: return &float8_e5m2_;
    case DataType::half: return &half_;
    case DataType::bfloat16: return &bfloat16_;
    default: return nullptr;
  }
}

MPI_Datatype TypeTable::type(DataType type) const {
  switch (type) {
    case DataType::int8: return MPI_INT8_T;
    case DataType::uint8: return MPI_UINT8_T;
    case DataType::int32: return MPI_INT32_T;
    case DataType::uint32: return MPI_UINT32_T;
    case DataType::int64: return MPI_INT64_T;
    case DataType::uint64: return MPI_UINT64_T;
    case DataType::float8_e4m3:
    case DataType::float8_e5m2:
    case DataType::half:
    case DataType::bfloat16: return small_float(type)->type.get();
    case DataType::float32: return MPI_FLOAT;
    case DataType::float64: break;
  }
  return MPI_DOUBLE;
}

MPI_Op TypeTable::op(DataType type, RedOp redop) const {
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
