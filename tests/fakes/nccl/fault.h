// What the environment tells the fake NCCL to be like; read anew at every use, so that a test may change it.
//   BUSBAR_FAKE_NCCL_VERSION   what ncclGetVersion says (22809), to seem old
//   BUSBAR_FAKE_NCCL_FAULT     one of
//     wrong:RANK         that rank's results have one wrong bit
//     hang:RANK          that rank never ends its first operation
//     async:RANK         operations succeed there, and ncclCommGetAsyncError then tells of a lost peer
//     slow:RANK          that rank takes 20 ms longer
//     refuse_collnet     communicators that ask for CollNet come without it, in silence, as NCCL's do
//     oom                no communicator can be made, and no memory allocated
//     duplicate          no communicator can be made: two ranks on one GPU
// RANK is a rank of the communicator.
#pragma once

#include <string_view>

namespace busbar::nccl::fake {

/// Whether everyone has the fault.
bool has_fault(std::string_view kind);
/// Whether that rank has it.
bool has_fault(std::string_view kind, int rank);

int version();

}  // namespace busbar::nccl::fake
