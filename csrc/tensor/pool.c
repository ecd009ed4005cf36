/* pool.c -- see pool.h.
**
** A job is a range of chunks for each thread: first it works through its own, which keeps its data in its own
** cache from job to job, then it takes from the others' what is left.  Threads that wait for a job spin for a
** short while, since the next one mostly comes within microseconds, and then sleep.
**
** The life of a job: the caller fills the fields, opens the job (a new generation), works, closes it, and waits
** until nobody is inside.  A helper enters (counts itself), looks whether the job is still open, works, and leaves.
** The counter and the flag are sequentially consistent: either the helper sees the job closed, or the caller sees
** the helper inside. */
#define _GNU_SOURCE
#include "pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

/* A pause is some 40 cycles: together roughly 100 us for a helper, 20 us for the caller. */
enum { HELPER_SPINS = 8000, CALLER_SPINS = 1500, CACHE_LINE = 64 };

/* Where a thread of an OpenMP-built OpenBLAS would start threads of its own.  Weak: only that flavour has it. */
extern void omp_set_num_threads(int n) __attribute__((weak));

typedef struct share {
  _Alignas(CACHE_LINE) _Atomic int64_t next;   /* chunk to be taken next */
  int64_t end;
} share;

typedef struct helper {
  pool *pool;
  int number;           /* 1 .. n_threads - 1; the caller is 0 */
  pthread_t thread;
} helper;

struct pool {
  pid_t process;
  int n_threads;
  bool may_spin;        /* there is a processor for everybody */
  pool_body body;
  void *argument;
  int64_t n, grain;
  share *shares;        /* one for each thread */
  helper *helpers;
  _Alignas(CACHE_LINE) _Atomic uint64_t generation;
  _Atomic bool open, quit;
  _Atomic int inside, sleeping;
  pthread_mutex_t lock;
  pthread_cond_t wake;
};

static inline void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#else
  atomic_signal_fence(memory_order_seq_cst);
#endif
}

int processors_available(void) {
  cpu_set_t set;
  int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : (int)sysconf(_SC_NPROCESSORS_ONLN);
  return n > 0 ? n : 1;
}

/* -- working -- */

static void run_chunk(const pool *p, int64_t chunk) {
  int64_t begin = chunk * p->grain, end = begin + p->grain < p->n ? begin + p->grain : p->n;
  p->body(p->argument, begin, end);
}

/* The own share first, then those of the threads behind. */
static void work(pool *p, int number) {
  for (int k = 0; k < p->n_threads; k++) {
    share *s = &p->shares[(number + k) % p->n_threads];
    for (;;) {
      int64_t chunk = atomic_fetch_add_explicit(&s->next, 1, memory_order_relaxed);
      if (chunk >= s->end) break;
      run_chunk(p, chunk);
    }
  }
}

/* Sleeps until there is a generation other than `seen`, or the end. */
static void sleep_until(pool *p, uint64_t seen) {
  pthread_mutex_lock(&p->lock);
  atomic_fetch_add(&p->sleeping, 1);
  while (atomic_load(&p->generation) == seen && !atomic_load(&p->quit)) pthread_cond_wait(&p->wake, &p->lock);
  atomic_fetch_sub(&p->sleeping, 1);
  pthread_mutex_unlock(&p->lock);
}

static void *help(void *argument) {
  helper *self = argument;
  pool *p = self->pool;
  uint64_t seen = 0;
  if (omp_set_num_threads != NULL) omp_set_num_threads(1);
  while (!atomic_load(&p->quit)) {
    for (int spin = 0; p->may_spin && spin < HELPER_SPINS && atomic_load(&p->generation) == seen; spin++) relax();
    if (atomic_load(&p->generation) == seen) sleep_until(p, seen);
    seen = atomic_load(&p->generation);
    atomic_fetch_add(&p->inside, 1);
    if (atomic_load(&p->open)) work(p, self->number);
    atomic_fetch_sub(&p->inside, 1);
  }
  return NULL;
}

static void open_job(pool *p) {
  atomic_store(&p->open, true);
  atomic_fetch_add(&p->generation, 1);
  if (atomic_load(&p->sleeping) == 0) return;
  pthread_mutex_lock(&p->lock);
  pthread_cond_broadcast(&p->wake);
  pthread_mutex_unlock(&p->lock);
}

static void close_job(pool *p) {
  atomic_store(&p->open, false);
  for (int spin = 0; atomic_load(&p->inside) > 0; spin++) {
    if (p->may_spin && spin < CALLER_SPINS) relax();
    else sched_yield();
  }
}

void pool_run(pool *p, int64_t n, int64_t grain, pool_body body, void *argument) {
  int64_t n_chunks = (n + grain - 1) / grain;
  p->n = n;
  p->grain = grain;
  p->body = body;
  p->argument = argument;
  for (int k = 0; k < p->n_threads; k++) {
    atomic_store_explicit(&p->shares[k].next, n_chunks * k / p->n_threads, memory_order_relaxed);
    p->shares[k].end = n_chunks * (k + 1) / p->n_threads;
  }
  open_job(p);
  work(p, 0);
  close_job(p);
}

int pool_is_usable(const pool *p) { return p->process == getpid(); }

/* -- making and ending -- */

/* The host's signals are for the host's threads. */
static int start_helper(helper *h) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = pthread_create(&h->thread, NULL, help, h);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return failed;
}

static void *aligned(size_t n_bytes) {
  return aligned_alloc(CACHE_LINE, (n_bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
}

static void release(pool *p) {
  free(p->shares);
  free(p->helpers);
  free(p);
}

static pool *allocate(int n_threads) {
  pool *p = aligned(sizeof *p);
  if (p == NULL) return NULL;
  *p = (pool){ .process = getpid(), .may_spin = n_threads <= processors_available() };
  pthread_mutex_init(&p->lock, NULL);
  pthread_cond_init(&p->wake, NULL);
  p->shares = aligned((size_t)n_threads * sizeof *p->shares);
  p->helpers = calloc((size_t)n_threads, sizeof *p->helpers);
  if (p->shares != NULL && p->helpers != NULL) return p;
  release(p);
  return NULL;
}

/* n_threads is settled before the first job, hence before any helper reads it. */
pool *pool_new(int n_threads) {
  pool *p = allocate(n_threads);
  if (p == NULL) return NULL;
  int started = 1;
  for (; started < n_threads; started++) {
    p->helpers[started] = (helper){ .pool = p, .number = started };
    if (start_helper(&p->helpers[started]) != 0) break;
  }
  p->n_threads = started;
  if (started > 1) return p;
  release(p);
  return NULL;
}

/* In a forked child there is nobody to wait for, and destroying a condition that somebody waited on would hang. */
void pool_free(pool *p) {
  if (p == NULL) return;
  if (pool_is_usable(p)) {
    pthread_mutex_lock(&p->lock);
    atomic_store(&p->quit, true);
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    for (int k = 1; k < p->n_threads; k++) pthread_join(p->helpers[k].thread, NULL);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
  }
  release(p);
}
