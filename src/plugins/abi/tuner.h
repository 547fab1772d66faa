// NCCL's tuner interface, versions 3 to 6, as binary layouts.
//
// Sources: NCCL's src/include/plugin/tuner/tuner_v3.h (NCCL 2.22 on), tuner_v4.h (2.24), tuner_v5.h (2.28),
// tuner_v6.h (2.30), all four as in 2.30.7; how they are called, src/enqueue.cc and src/init.cc of 2.28.9. NCCL looks
// the symbols `ncclTunerPlugin_v6` to `_v3` up, newest first. v2 (2.21) is left out: it has no cost table, so a plugin
// cannot know what is available.
#pragma once

#include "plugins/abi/types.h"

namespace busbar::nccl_abi {

/// The cost of a combination that must not be used (NCCL_ALGO_PROTO_IGNORE). NCCL takes the least cost that is not
/// negative and checks nothing again: putting anything else over this value runs what is not supported.
inline constexpr float not_available = -1.0F;

/// ncclNvlDomainInfo_v5_t.
struct NvlDomains {
  int domains;
  int min_ranks;
  int max_ranks;
};

/// ncclTunerConstants_v5_t: the constants of NCCL's own model, in µs and GB/s.
struct TunerConstants {
  double base_latencies[algorithms][protocols];
  double hardware_latencies[3][algorithms][protocols];  ///< NVLink, PCI, network
  double ll_max_bandwidths[4][3];  ///< from here: by compute capability (Volta to Blackwell) and nodes (1, 2, 4)
  double ring_ll128_max_bandwidths[4][3];
  double tree_ll128_max_bandwidths[4][3];
  double tree_max_bandwidths[4][3];
  double nvls_tree_max_bandwidths[4][3];
};

/// `costs` is a flat float[algorithms][protocols], whatever its type says; µs. `*channels` comes in as 0, which means
/// "as NCCL would"; it is kept in 8 signed bits and for some algorithms never compared with what there is.
using GetCollInfoV3 = Result (*)(void* context, Function function, std::size_t bytes, int pipe_ops, float** costs,
                                 int algorithms, int protocols, int* channels);
using GetCollInfoV4 = Result (*)(void* context, Function function, std::size_t bytes, int pipe_ops, float** costs,
                                 int algorithms, int protocols, int registered, int* channels);
using InitV3 = Result (*)(std::size_t ranks, std::size_t nodes, Logger logger, void** context);
using InitV5 = Result (*)(void** context, std::uint64_t comm_id, std::size_t ranks, std::size_t nodes, Logger logger,
                          NvlDomains* domains, TunerConstants* constants);
using Finalize = Result (*)(void* context);
using GetChunkSize = Result (*)(void* context, Function function, std::size_t bytes, int algorithm, int protocol,
                                int channels, std::size_t* chunk_bytes);

struct TunerV3 {
  const char* name;
  InitV3 init;
  GetCollInfoV3 get_coll_info;
  Finalize destroy;
};
struct TunerV4 {
  const char* name;
  InitV3 init;
  GetCollInfoV4 get_coll_info;
  Finalize destroy;
};
struct TunerV5 {
  const char* name;
  InitV5 init;
  GetCollInfoV4 get_coll_info;
  Finalize finalize;
};
struct TunerV6 {
  const char* name;
  InitV5 init;
  GetCollInfoV4 get_coll_info;
  Finalize finalize;
  GetChunkSize get_chunk_size;  ///< null: NCCL's own chunk size
};

static_assert(sizeof(TunerV3) == 32 && sizeof(TunerV4) == 32 && sizeof(TunerV5) == 32 && sizeof(TunerV6) == 40);
static_assert(sizeof(TunerConstants) == 1152 && sizeof(NvlDomains) == 12);

}  // namespace busbar::nccl_abi
