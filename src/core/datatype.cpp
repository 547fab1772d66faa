#include "core/datatype.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <vector>

#include "core/error.h"

namespace busbar {
namespace {

constexpr std::array types{DataType::int8,  DataType::uint8,    DataType::int32,       DataType::uint32,
                           DataType::int64, DataType::uint64,   DataType::float8_e4m3, DataType::float8_e5m2,
                           DataType::half,  DataType::bfloat16, DataType::float32,     DataType::float64};
constexpr std::array redops{RedOp::sum, RedOp::prod, RedOp::min, RedOp::max, RedOp::avg, RedOp::premulsum};

template <class T, std::size_t N>
T parse(std::string_view word, std::string_view what, const std::array<T, N>& accepted) {
  std::vector<std::string_view> names;
  for (const T candidate : accepted) {
    if (name(candidate) == word) return candidate;
    names.push_back(name(candidate));
  }
  throw UsageError(fmt::format("unknown {} '{}'; accepted: {}", what, word, fmt::join(names, ", ")));
}

}  // namespace

std::span<const DataType> all_datatypes() { return types; }
std::span<const RedOp> all_redops() { return redops; }

std::string_view name(DataType type) {
  switch (type) {
    case DataType::int8: return "int8";
    case DataType::uint8: return "uint8";
    case DataType::int32: return "int32";
    case DataType::uint32: return "uint32";
    case DataType::int64: return "int64";
    case DataType::uint64: return "uint64";
    case DataType::float8_e4m3: return "float8_e4m3";
    case DataType::float8_e5m2: return "float8_e5m2";
    case DataType::half: return "half";
    case DataType::bfloat16: return "bfloat16";
    case DataType::float32: return "float";
    case DataType::float64: break;
  }
  return "double";
}

std::string_view name(RedOp redop) {
  switch (redop) {
    case RedOp::sum: return "sum";
    case RedOp::prod: return "prod";
    case RedOp::min: return "min";
    case RedOp::max: return "max";
    case RedOp::avg: return "avg";
    case RedOp::premulsum: break;
  }
  return "premulsum";
}

DataType parse_datatype(std::string_view word) { return parse(word, "datatype", types); }
RedOp parse_redop(std::string_view word) { return parse(word, "reduction operator", redops); }

std::size_t size_of(DataType type) {
  return with_type(type, [](auto v) { return sizeof(v); });
}

}  // namespace busbar
