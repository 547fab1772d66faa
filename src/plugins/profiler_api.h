/* What libnccl-profiler-busbar.so tells the program it is loaded into. A C header: dlopen the same file that
   NCCL_PROFILER_PLUGIN names, and dlsym these. Every function may be called by any thread at any time. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* This header's version; compare it with what the library answers. */
#define BUSBAR_PROFILER_API 1

enum { busbar_profiler_unknown = -1 };

struct busbar_profiler_communicator {
  uint64_t handle; /* for busbar_profiler_read: one communicator of one rank, never used again */
  uint64_t id;     /* NCCL's, the same on all ranks */
  char name[64];   /* ncclConfig_t's commName, cut; empty where none was given */
  int32_t rank;
  int32_t ranks;
  int32_t nodes;
  int32_t interface; /* NCCL's profiler interface in use: 5 or 4 */
  int32_t open;      /* 0 once NCCL has finalized it */
  uint64_t lost;     /* events that found the table full: above 0, the records are not all there is */
};

enum busbar_profiler_stage {
  busbar_profiler_called = 0,  /* the user called it (interface 5 only); says nothing of how it ran */
  busbar_profiler_enqueued = 1 /* NCCL enqueued it, in this way */
};

/* All that was alike in every field but `times`. An unknown name is empty, an unknown number -1. */
struct busbar_profiler_record {
  int32_t stage;
  char function[32]; /* "AllReduce", "Send"; NCCL's names throughout */
  char datatype[32]; /* "ncclFloat32" */
  uint64_t count;    /* elements, as passed by one rank */
  int64_t bytes;     /* count times the datatype's size */
  int32_t root;      /* -1 too where the function has none */
  char algorithm[32];
  char protocol[32];
  int32_t channels;
  int32_t warps;    /* of one channel */
  int32_t captured; /* 1: into a CUDA graph */
  uint64_t times;
};

int busbar_profiler_api(void);

/* The communicators known, oldest first: open ones, and the last few finalized ones. Writes at most `capacity` of them
   and returns how many there are. */
size_t busbar_profiler_communicators(struct busbar_profiler_communicator* out, size_t capacity);

/* What was recorded of a communicator since the last call with its handle. Writes at most `capacity` records and
   returns how many; the rest stays for the next call, so call until fewer than `capacity` come. An unknown handle has
   none. Leaves what is written to files as it is. */
size_t busbar_profiler_read(uint64_t handle, struct busbar_profiler_record* out, size_t capacity);

#ifdef __cplusplus
}
#endif
