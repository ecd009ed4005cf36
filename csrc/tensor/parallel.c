/* parallel.c -- chunks over the context's threads.  See parallel.h. */
#include "parallel.h"

#include "pool.h"

/* Made when it is first wanted, again when the number of threads has changed or the process has forked. */
static bool ready(context *c) {
  if (c->pool != NULL && (c->pool_threads != c->n_threads || !pool_is_usable(c->pool))) {
    pool_free(c->pool);
    c->pool = NULL;
  }
  if (c->pool == NULL) {
    c->pool = pool_new(c->n_threads);
    c->pool_threads = c->n_threads;
  }
  return c->pool != NULL;
}

/* Inside a body the context is busy: what it starts in turn runs in the thread that starts it. */
void parallel_for(const context *constant, int64_t n, int64_t grain, parallel_body body, void *argument) {
  context *c = (context *)(uintptr_t)constant;
  if (n <= 0) return;
  if (n > grain && c->n_threads > 1 && !c->in_parallel && ready(c)) {
    c->in_parallel = true;
    pool_run(c->pool, n, grain, body, argument);
    c->in_parallel = false;
    return;
  }
  for (int64_t begin = 0; begin < n; begin += grain)
    body(argument, begin, begin + grain < n ? begin + grain : n);
}

int64_t parallel_even_grain(int64_t n, int64_t grain) {
  if (n <= grain) return grain;
  int64_t n_chunks = (n - 1) / grain + 1;
  n_chunks += n_chunks % 2;
  return (n - 1) / n_chunks + 1;
}
