// The types that NCCL's plugin interfaces share. The CUDA Toolkit ships no header for them, so they are declared here,
// as binary layouts. Source: NCCL 2.28.9, src/include/nccl_common.h and nccl.h; unchanged in 2.22 to 2.30.7 but for
// new values at the ends of the enumerations.
#pragma once

#include <cstddef>
#include <cstdint>

namespace busbar::nccl_abi {

/// ncclResult_t. A plugin of ours returns nothing else: any other value fails the user's collective (2.28.9).
enum Result : int { success = 0 };

/// ncclDebugLogLevel.
enum LogLevel : unsigned { log_warning = 2, log_info = 3 };
/// ncclDebugLogSubSys, those in use here.
inline constexpr unsigned long log_tuning = 0x40;
inline constexpr unsigned long log_profile = 0x4000;

/// ncclDebugLogger_t: printf's format and arguments at the end.
using Logger = void (*)(LogLevel level, unsigned long subsystems, const char* file, int line, const char* format, ...);

/// ncclFunc_t. Only these five are tuned; sends, receives and what is made of them are numbered from 5.
enum Function : int { broadcast = 0, reduce = 1, all_gather = 2, reduce_scatter = 3, all_reduce = 4 };
inline constexpr int tuned_functions = 5;

/// NCCL_ALGO_*: the rows of a cost table.
enum Algorithm : int { tree = 0, ring = 1, collnet_direct = 2, collnet_chain = 3, nvls = 4, nvls_tree = 5, pat = 6 };
inline constexpr int algorithms = 7;

/// NCCL_PROTO_*: the columns of a cost table.
enum Protocol : int { ll = 0, ll128 = 1, simple = 2 };
inline constexpr int protocols = 3;

/// MAXCHANNELS: no communicator has more.
inline constexpr int max_channels = 64;

static_assert(sizeof(Result) == 4 && sizeof(LogLevel) == 4 && sizeof(Function) == 4);
static_assert(sizeof(void*) == 8 && sizeof(std::size_t) == 8, "the layouts below are those of 64-bit Linux (LP64)");

}  // namespace busbar::nccl_abi
