// NCCL's names for our element types and reduction operators.
#pragma once

#include <nccl.h>

#include "core/datatype.h"

namespace busbar::nccl {

ncclDataType_t type_of(DataType type);
/// avg of integers too: NCCL rounds towards zero, as pattern.h expects.
ncclRedOp_t op_of(RedOp redop);

}  // namespace busbar::nccl
