/* What libnccl-tuner-busbar.so offers the program it is loaded into. A C header: dlopen the same file that
   NCCL_TUNER_PLUGIN names, and dlsym these. Every function may be called by any thread at any time. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* This header's version; compare it with what the library answers. */
#define BUSBAR_TUNER_API 1

int busbar_tuner_api(void);

/* The decision table for communicators made from now on, as the text of a table file; every process of a communicator
   must set the same one before it makes it. It goes before BUSBAR_TUNER_TABLE; NULL gives way to that again; text
   without rows leaves every choice to NCCL. Communicators that exist keep theirs. Returns 0, or -1 for a malformed
   table, which changes nothing: `error` (NULL, or of `error_size` bytes) then gets one sentence. */
int busbar_tuner_set_table(const char* text, char* error, size_t error_size);

/* Since the library was loaded, over all communicators. */
struct busbar_tuner_counts {
  uint64_t asked;         /* collectives that NCCL asked about */
  uint64_t decided;       /* of these, by a row of a table */
  uint64_t unavailable;   /* rows passed over: NCCL offers no such algorithm with that protocol there; of rows that
                             differ in size and channels only, one */
  uint64_t channels_left; /* decided, but with NCCL's channels where the row has others: see the README */
};
void busbar_tuner_count(struct busbar_tuner_counts* out);

#ifdef __cplusplus
}
#endif
