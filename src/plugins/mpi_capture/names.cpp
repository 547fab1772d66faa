#include "plugins/mpi_capture/names.h"

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

namespace busbar::plugins {
namespace {

template <typename Handle>
using Names = std::vector<std::pair<Handle, const char*>>;

template <typename T>
constexpr const char* integer_name() {
  static_assert(std::is_integral_v<T> && sizeof(T) <= 8);
  constexpr bool with_sign = std::is_signed_v<T>;
  switch (sizeof(T)) {
    case 1: return with_sign ? "MPI_INT8_T" : "MPI_UINT8_T";
    case 2: return with_sign ? "MPI_INT16_T" : "MPI_UINT16_T";
    case 4: return with_sign ? "MPI_INT32_T" : "MPI_UINT32_T";
    default: return with_sign ? "MPI_INT64_T" : "MPI_UINT64_T";
  }
}

// Handles are no constants in every MPI, so the lists are made at first use.
const Names<MPI_Datatype>& datatypes() {
  static const Names<MPI_Datatype> names = {
      {MPI_FLOAT, "MPI_FLOAT"},
      {MPI_DOUBLE, "MPI_DOUBLE"},
      {MPI_BYTE, "MPI_UINT8_T"},
      {MPI_CHAR, "MPI_INT8_T"},
      {MPI_INT, integer_name<int>()},
      {MPI_LONG, integer_name<long>()},
      {MPI_LONG_LONG, integer_name<long long>()},
      {MPI_INT64_T, "MPI_INT64_T"},
      {MPI_UINT64_T, "MPI_UINT64_T"},
      {MPI_INT32_T, "MPI_INT32_T"},
      {MPI_UINT32_T, "MPI_UINT32_T"},
      {MPI_INT16_T, "MPI_INT16_T"},
      {MPI_UINT16_T, "MPI_UINT16_T"},
      {MPI_INT8_T, "MPI_INT8_T"},
      {MPI_UINT8_T, "MPI_UINT8_T"},
      {MPI_SIGNED_CHAR, "MPI_INT8_T"},
      {MPI_UNSIGNED_CHAR, "MPI_UINT8_T"},
      {MPI_SHORT, integer_name<short>()},
      {MPI_UNSIGNED_SHORT, integer_name<unsigned short>()},
      {MPI_UNSIGNED, integer_name<unsigned>()},
      {MPI_UNSIGNED_LONG, integer_name<unsigned long>()},
      {MPI_UNSIGNED_LONG_LONG, integer_name<unsigned long long>()},
      {MPI_C_BOOL, "MPI_C_BOOL"},
  };
  return names;
}

const Names<MPI_Op>& operators() {
  static const Names<MPI_Op> names = {
      {MPI_SUM, "MPI_SUM"},   {MPI_MAX, "MPI_MAX"},   {MPI_MIN, "MPI_MIN"},       {MPI_PROD, "MPI_PROD"},
      {MPI_LAND, "MPI_LAND"}, {MPI_LOR, "MPI_LOR"},   {MPI_LXOR, "MPI_LXOR"},     {MPI_BAND, "MPI_BAND"},
      {MPI_BOR, "MPI_BOR"},   {MPI_BXOR, "MPI_BXOR"}, {MPI_MAXLOC, "MPI_MAXLOC"}, {MPI_MINLOC, "MPI_MINLOC"},
  };
  return names;
}

template <typename Handle>
const char* find(const Names<Handle>& names, Handle handle) {
  const auto found = std::find_if(names.begin(), names.end(), [&](const auto& name) { return name.first == handle; });
  return found == names.end() ? nullptr : found->second;
}

}  // namespace

const char* datatype_name(MPI_Datatype type) { return find(datatypes(), type); }

const char* operator_name(MPI_Op op) { return find(operators(), op); }

}  // namespace busbar::plugins
