/* context.h -- what one lua_State owns: its memory, its random generator, its settings, its last error.
**
** There are no globals: every function that allocates, draws numbers, starts threads or can fail takes
** the context first.  A context is used by one thread at a time. */
#ifndef PERILUNE_CONTEXT_H
#define PERILUNE_CONTEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "allocator.h"
#include "status.h"

/* Counter-based (Philox 4x32-10, Salmon et al., SC 2011): number i of the stream is a pure function of
** (seed, offset + i), so any thread may compute any part. */
typedef struct generator {
  uint64_t seed;
  uint64_t offset;     /* in draws of four 32-bit words */
} generator;

typedef struct context {
  allocator *memory;
  generator random;
  int n_threads;           /* at least 1 */
  struct pool *pool;       /* the threads, made when first wanted; see parallel.c */
  int pool_threads;        /* n_threads when it was made */
  bool in_parallel;        /* a parallel_for is under way */
  bool grad_enabled;       /* false inside no_grad */
  bool anomaly;            /* look for the operation that first makes a NaN */
  uint64_t next_sequence;  /* autograd: nodes are numbered in the order in which they were recorded */
  char error[512];         /* why the last call failed; meaningful only after a status other than OK */
} context;

context *context_new(void);      /* NULL: no memory */
void context_free(context *c);   /* tensors that outlive it keep the allocator alive */

/* Writes the message and returns code, so that a check reads
**   if (bad) return context_fail(c, STATUS_INVALID, "linear: x is %s", text);  */
status context_fail(context *c, status code, const char *format, ...)
  __attribute__((format(printf, 3, 4)));
status context_fail_v(context *c, status code, const char *format, va_list arguments);
/* x as a message prints it with %g: a NaN without its sign, which on x86 0/0 has. */
double message_number(double x);
status context_no_memory(context *c, size_t n_bytes);

/* allocator_get that leaves the message in the context. */
void *context_get(context *c, size_t n_bytes);
void context_put(context *c, void *block, size_t n_bytes);

#endif
