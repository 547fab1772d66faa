#include "transport/mpi_types.h"

namespace busbar::mpi {
namespace {

Type opaque_type(DataType of) {
  MPI_Datatype type = MPI_DATATYPE_NULL;
  check(MPI_Type_contiguous(static_cast<int>(size_of(of)), MPI_BYTE, &type), "MPI_Type_contiguous");
  Type owned{type};
  check(MPI_Type_commit(&type), "MPI_Type_commit");
  return owned;
}

}  // namespace

TypeTable::TypeTable()
    : float8_e4m3_(opaque_type(DataType::float8_e4m3)),
      float8_e5m2_(opaque_type(DataType::float8_e5m2)),
      half_(opaque_type(DataType::half)),
      bfloat16_(opaque_type(DataType::bfloat16)) {}

MPI_Datatype TypeTable::type(DataType type) const {
  switch (type) {
    case DataType::int8: return MPI_INT8_T;
    case DataType::uint8: return MPI_UINT8_T;
    case DataType::int32: return MPI_INT32_T;
    case DataType::uint32: return MPI_UINT32_T;
    case DataType::int64: return MPI_INT64_T;
    case DataType::uint64: return MPI_UINT64_T;
    case DataType::float8_e4m3: return float8_e4m3_.get();
    case DataType::float8_e5m2: return float8_e5m2_.get();
    case DataType::half: return half_.get();
    case DataType::bfloat16: return bfloat16_.get();
    case DataType::float32: return MPI_FLOAT;
    case DataType::float64: break;
  }
  return MPI_DOUBLE;
}

}  // namespace busbar::mpi
