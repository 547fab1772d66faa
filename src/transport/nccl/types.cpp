#include "transport/nccl/types.h"

#include <fmt/format.h>

#include <stdexcept>

#include "transport/nccl/calls.h"

namespace busbar::nccl {
namespace {

constexpr ComputeCapability with_float8{9, 0};

bool is_float8(DataType type) { return type == DataType::float8_e4m3 || type == DataType::float8_e5m2; }

/// NCCL asks for such GPUs where it reduces; before 2.28 also where its own calls only move data, but never for sends
/// and receives. Source: src/enqueue.cc of 2.24.3 to 2.29.3.
bool needs_newer_gpus(const Library& library, const OperationSpec& spec) {
  const NativeCall* const call = native_call(library.call(), spec.collective->traits().name);
  if (call == nullptr) return false;
  return !library.has(2, 28) || call->function.find("Reduce") != std::string_view::npos;
}

}  // namespace

ncclDataType_t type_of(DataType type) {
  switch (type) {
    case DataType::int8: return ncclInt8;
    case DataType::uint8: return ncclUint8;
    case DataType::int32: return ncclInt32;
    case DataType::uint32: return ncclUint32;
    case DataType::int64: return ncclInt64;
    case DataType::uint64: return ncclUint64;
#if BUSBAR_NCCL_HEADER_HAS(2, 24)
    case DataType::float8_e4m3: return ncclFloat8e4m3;
    case DataType::float8_e5m2: return ncclFloat8e5m2;
#else
    case DataType::float8_e4m3:
    case DataType::float8_e5m2: throw std::logic_error("this nccl.h has no float8");
#endif
    case DataType::half: return ncclFloat16;
    case DataType::bfloat16: return ncclBfloat16;
    case DataType::float32: return ncclFloat32;
    case DataType::float64: break;
  }
  return ncclFloat64;
}

std::optional<std::string> datatype_refusal(const Library& library, ComputeCapability least,
                                            const OperationSpec& spec) {
  if (!is_float8(spec.type)) return std::nullopt;
  if (!library.has(2, 24)) {
    return fmt::format(
        "{} needs NCCL 2.24 or newer, in the build and at run time (which has {}); accepted: other datatypes",
        name(spec.type), library.version().text());
  }
  if (least >= with_float8 || !needs_newer_gpus(library, spec)) return std::nullopt;
  return fmt::format(
      "NCCL {} has {} of {} on GPUs of compute capability 9.0 or newer alone and this launch has one of {}.{}; "
      "accepted: "
      "other datatypes",
      library.version().text(), spec.collective->traits().name, name(spec.type), least.major, least.minor);
}

}  // namespace busbar::nccl
