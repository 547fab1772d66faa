// NCCL's names for our element types, and which of them can be had.
#pragma once

#include <nccl.h>

#include <compare>
#include <optional>
#include <string>

#include "core/datatype.h"
#include "transport/nccl/library.h"
#include "transport/transport.h"

namespace busbar::nccl {

/// Of a GPU, such as 9.0.
struct ComputeCapability {
  int major = 0;
  int minor = 0;
  auto operator<=>(const ComputeCapability&) const = default;
};

/// @throws std::logic_error where the header at build time is too old to name it; `datatype_refusal` comes first.
ncclDataType_t type_of(DataType type);

/// One sentence naming why `spec` cannot be carried out in its datatype by this NCCL and a launch whose least GPU is
/// `least`; nothing where it can.
std::optional<std::string> datatype_refusal(const Library& library, ComputeCapability least, const OperationSpec& spec);

}  // namespace busbar::nccl
