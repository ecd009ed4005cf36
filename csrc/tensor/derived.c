/* derived.c -- blocks that operations keep beside a storage's data.  See derived.h. */
#include "derived.h"

void derived_free(allocator *memory, derived *d) {
  if (d != NULL) allocator_put(memory, d, d->n_bytes);
}

/* The version is read before the data are: a write in between leaves a block that is stale at once. */
derived *derived_new(context *c, const storage *s, const void *maker, size_t n_bytes) {
  derived *d = context_get(c, n_bytes);
  if (d != NULL) *d = (derived){ .maker = maker, .n_bytes = n_bytes, .version = atomic_load(&s->version) };
  return d;
}

derived *derived_take(storage *s, const void *maker) {
  derived *d = atomic_exchange(&s->derived, NULL);
  if (d == NULL || (d->maker == maker && d->version == atomic_load(&s->version))) return d;
  derived_free(s->memory, d);
  return NULL;
}

void derived_keep(storage *s, derived *d) { derived_free(s->memory, atomic_exchange(&s->derived, d)); }
