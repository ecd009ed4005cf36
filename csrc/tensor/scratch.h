/* scratch.h -- memory for the bodies of a parallel_for to work in: a piece for each thread, not for each chunk, so
** that a piece stays in its thread's cache from chunk to chunk.  Nothing in a piece outlives the chunk. */
#ifndef PERILUNE_SCRATCH_H
#define PERILUNE_SCRATCH_H

#include "context.h"

typedef struct scratch {
  char *block;           /* [piece] of { flag, piece_bytes } */
  size_t piece_bytes;    /* with the flag */
  int64_t n_pieces;
} scratch;

/* For a parallel_for of n_chunks.  STATUS_NO_MEMORY: nothing is there to be ended. */
status scratch_begin(context *c, scratch *s, int64_t n_chunks, size_t n_bytes);
void scratch_end(context *c, scratch *s);

/* In a body: n_bytes that nobody else uses until they are given back, 64-byte aligned, contents undefined. */
void *scratch_take(const scratch *s);
void scratch_give(void *piece);

#endif
