// Element types and reduction operators, with their names as users type them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "core/small_float.h"

namespace busbar {

enum class DataType : std::uint8_t {
  int8,
  uint8,
  int32,
  uint32,
  int64,
  uint64,
  float8_e4m3,
  float8_e5m2,
  half,
  bfloat16,
  float32,
  float64
};

/// premulsum: every rank's input is multiplied by a scalar of its own, then all are added.
enum class RedOp : std::uint8_t { sum, prod, min, max, avg, premulsum };

std::span<const DataType> all_datatypes();
std::span<const RedOp> all_redops();

/// The names follow nccl-tests (int8 uint8 int32 uint32 int64 uint64 half bfloat16 float double) but for float8_e4m3,
/// float8_e5m2 and premulsum, which are f8e4m3, f8e5m2 and mulsum there.
std::string_view name(DataType type);
std::string_view name(RedOp redop);

/// @throws UsageError naming the unknown word and the accepted ones.
DataType parse_datatype(std::string_view word);
RedOp parse_redop(std::string_view word);

/// Bytes per element.
std::size_t size_of(DataType type);

/// Calls `f(T{})` with a value of the C++ type that stores `type`.
template <class F>
decltype(auto) with_type(DataType type, F&& f) {
  switch (type) {
    case DataType::int8: return std::forward<F>(f)(std::int8_t{});
    case DataType::uint8: return std::forward<F>(f)(std::uint8_t{});
    case DataType::int32: return std::forward<F>(f)(std::int32_t{});
    case DataType::uint32: return std::forward<F>(f)(std::uint32_t{});
    case DataType::int64: return std::forward<F>(f)(std::int64_t{});
    case DataType::uint64: return std::forward<F>(f)(std::uint64_t{});
    case DataType::float8_e4m3: return std::forward<F>(f)(Float8E4M3{});
    case DataType::float8_e5m2: return std::forward<F>(f)(Float8E5M2{});
    case DataType::half: return std::forward<F>(f)(Half{});
    case DataType::bfloat16: return std::forward<F>(f)(BFloat16{});
    case DataType::float32: return std::forward<F>(f)(float{});
    case DataType::float64: break;
  }
  return std::forward<F>(f)(double{});
}

}  // namespace busbar
