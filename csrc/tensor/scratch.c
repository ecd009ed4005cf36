/* scratch.c -- see scratch.h.  A piece begins with a cache line that holds a flag: taken or not. */
#include "scratch.h"

#include <stdatomic.h>

enum { LINE = 64 };

static atomic_bool *flag_of(const scratch *s, int64_t i) {
  return (atomic_bool *)(void *)(s->block + (size_t)i * s->piece_bytes);
}

status scratch_begin(context *c, scratch *s, int64_t n_chunks, size_t n_bytes) {
  s->n_pieces = n_chunks < c->n_threads ? n_chunks : c->n_threads;
  s->piece_bytes = LINE + (n_bytes + LINE - 1) / LINE * LINE;
  s->block = context_get(c, (size_t)s->n_pieces * s->piece_bytes);
  if (s->block == NULL) return STATUS_NO_MEMORY;
  for (int64_t i = 0; i < s->n_pieces; i++) atomic_init(flag_of(s, i), false);
  return STATUS_OK;
}

void scratch_end(context *c, scratch *s) { context_put(c, s->block, (size_t)s->n_pieces * s->piece_bytes); }

/* There are as many pieces as threads: the search ends in its first round, unless a piece is given back behind it. */
void *scratch_take(const scratch *s) {
  for (int64_t i = 0;; i = (i + 1) % s->n_pieces)
    if (!atomic_exchange(flag_of(s, i), true)) return s->block + (size_t)i * s->piece_bytes + LINE;
}

void scratch_give(void *piece) { atomic_store((atomic_bool *)(void *)((char *)piece - LINE), false); }
