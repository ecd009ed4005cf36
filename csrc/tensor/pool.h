/* pool.h -- the threads of one context.
**
** Not OpenMP's, because a guest should not suffer from its neighbours: an OpenMP region ends when *every* thread
** has been scheduled once more, so that on a busy machine each of the hundreds of small regions of a training
** step waits for a thread that has nothing to do (measured with two threads beside five busy processes on two
** cores: 3 to 18 s for an epoch that takes 2.9 s with one thread).  Here the caller works through all chunks itself
** if nobody comes to help, and waits only for helpers that have begun one.
** Besides: the threads end with the context, a forked child makes its own, signals stay with the host's threads. */
#ifndef PERILUNE_POOL_H
#define PERILUNE_POOL_H

#include <stdint.h>

typedef struct pool pool;

typedef void (*pool_body)(void *argument, int64_t begin, int64_t end);

/* n_threads >= 2, the caller among them.  Fewer where the system gives fewer; NULL: none at all, or no memory. */
pool *pool_new(int n_threads);
void pool_free(pool *p);   /* waits for its threads; p may be NULL */
/* Runs body over [0, n) in chunks of `grain`; every chunk exactly once, by any of the threads. */
void pool_run(pool *p, int64_t n, int64_t grain, pool_body body, void *argument);
/* Still the process that made it?  A forked child has the memory but not the threads. */
int pool_is_usable(const pool *p);

int processors_available(void);   /* that this process may use; at least 1 */

#endif
