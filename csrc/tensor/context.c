/* context.c -- what one lua_State owns.  See context.h. */
#include "context.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "pool.h"

/* A fresh state starts from this seed: runs repeat unless the user asks otherwise. */
enum { DEFAULT_SEED = 0 };

/* OMP_NUM_THREADS is what users of numerical programs set; it counts here too. */
static int default_threads(void) {
  const char *wish = getenv("OMP_NUM_THREADS");
  int n = wish != NULL ? atoi(wish) : 0;
  return n >= 1 && n <= 1024 ? n : processors_available();
}

context *context_new(void) {
  context *c = calloc(1, sizeof *c);
  if (c == NULL) return NULL;
  c->memory = allocator_new();
  if (c->memory == NULL) {
    free(c);
    return NULL;
  }
  c->random.seed = DEFAULT_SEED;
  c->n_threads = default_threads();
  c->grad_enabled = true;
  return c;
}

void context_free(context *c) {
  if (c == NULL) return;
  pool_free(c->pool);
  allocator_close(c->memory);
  free(c);
}

status context_fail_v(context *c, status code, const char *format, va_list arguments) {
  vsnprintf(c->error, sizeof c->error, format, arguments);
  return code;
}

status context_fail(context *c, status code, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  context_fail_v(c, code, format, arguments);
  va_end(arguments);
  return code;
}

double message_number(double x) { return isnan(x) ? (double)NAN : x; }

status context_no_memory(context *c, size_t n_bytes) {
  memory_use use = allocator_use(c->memory);
  char cap[64] = "";
  if (use.cap_bytes != 0) snprintf(cap, sizeof cap, ", and the memory cap is %zu", use.cap_bytes);
  return context_fail(c, STATUS_NO_MEMORY, "not enough memory for %zu bytes (%zu bytes of tensors are live%s)", n_bytes,
                      use.live_bytes, cap);
}

void *context_get(context *c, size_t n_bytes) {
  void *block = allocator_get(c->memory, n_bytes > 0 ? n_bytes : 1);
  if (block == NULL) context_no_memory(c, n_bytes);
  return block;
}

void context_put(context *c, void *block, size_t n_bytes) {
  allocator_put(c->memory, block, n_bytes > 0 ? n_bytes : 1);
}
