/* affinity.c -- symmetrisation: from conditional to joint probabilities.
**
** Each row's own entries, by column, are merged with those that point at it. */
#include <string.h>

#include "../tensor/parallel.h"
#include "manifold.h"

typedef struct entry {
  int32_t column;
  float value;
} entry;

typedef struct symmetrisation {
  int64_t n, k;
  const int64_t *index;
  const float *p;
  entry *own;             /* (n, k), by column */
  int64_t *in_start;      /* n + 1: where the entries that point at a row begin in `in` */
  entry *in;              /* (n * k), by the row that they come from */
  affinities *out;
} symmetrisation;

static void sort_rows(void *argument, int64_t begin, int64_t end) {
  const symmetrisation *s = argument;
  for (int64_t i = begin; i < end; i++) {
    entry *row = s->own + i * s->k;
    for (int64_t j = 0; j < s->k; j++) {
      entry e = { (int32_t)s->index[i * s->k + j], s->p[i * s->k + j] };
      int64_t at = j;
      for (; at > 0 && row[at - 1].column > e.column; at--) row[at] = row[at - 1];
      row[at] = e;
    }
  }
}

/* Counting sort by column; rows are visited in order, so that each list is in order of its rows. */
static void transpose(symmetrisation *s) {
  int64_t *start = s->in_start;
  memset(start, 0, (size_t)(s->n + 1) * sizeof *start);
  for (int64_t e = 0; e < s->n * s->k; e++) start[s->own[e].column + 1]++;
  for (int64_t i = 0; i < s->n; i++) start[i + 1] += start[i];
  for (int64_t e = 0; e < s->n * s->k; e++)
    s->in[start[s->own[e].column]++] = (entry){ (int32_t)(e / s->k), s->own[e].value };
  memmove(start + 1, start, (size_t)s->n * sizeof *start);
  start[0] = 0;
}

/* Merges row i; writes it where `column` is not NULL.  Returns the number of entries. */
static int64_t merge_row(const symmetrisation *s, int64_t i, int32_t *column, float *value) {
  const entry *own = s->own + i * s->k, *own_end = own + s->k;
  const entry *in = s->in + s->in_start[i], *in_end = s->in + s->in_start[i + 1];
  float scale = 0.5f / (float)s->n;
  int64_t count = 0;
  while (own < own_end || in < in_end) {
    int32_t next = own < own_end && (in == in_end || own->column < in->column) ? own->column : in->column;
    float sum = 0;
    if (own < own_end && own->column == next) sum += own++->value;
    if (in < in_end && in->column == next) sum += in++->value;
    if (column) {
      column[count] = next;
      value[count] = scale * sum;
    }
    count++;
  }
  return count;
}

static void count_rows(void *argument, int64_t begin, int64_t end) {
  const symmetrisation *s = argument;
  for (int64_t i = begin; i < end; i++) s->out->start[i + 1] = merge_row(s, i, NULL, NULL);
}

static void write_rows(void *argument, int64_t begin, int64_t end) {
  const symmetrisation *s = argument;
  for (int64_t i = begin; i < end; i++) {
    int64_t at = s->out->start[i];
    merge_row(s, i, s->out->column + at, s->out->value + at);
  }
}

static status fill(context *c, symmetrisation *s) {
  affinities *out = s->out;
  parallel_for(c, s->n, 64, sort_rows, s);
  transpose(s);
  parallel_for(c, s->n, 64, count_rows, s);
  out->start[0] = 0;
  for (int64_t i = 0; i < s->n; i++) out->start[i + 1] += out->start[i];
  out->n_entries = out->start[s->n];
  out->column = context_get(c, (size_t)out->n_entries * sizeof *out->column);
  out->value = out->column ? context_get(c, (size_t)out->n_entries * sizeof *out->value) : NULL;
  if (!out->value) return STATUS_NO_MEMORY;
  parallel_for(c, s->n, 64, write_rows, s);
  return STATUS_OK;
}

status affinities_make(context *c, const int64_t *index, const float *p, int64_t n, int64_t k, affinities *out) {
  size_t entries_bytes = (size_t)(n * k) * sizeof(entry), starts_bytes = (size_t)(n + 1) * sizeof(int64_t);
  symmetrisation s = { .n = n, .k = k, .index = index, .p = p, .out = out };
  *out = (affinities){ .memory = c->memory, .n = n };
  s.own = context_get(c, entries_bytes);
  s.in = s.own ? context_get(c, entries_bytes) : NULL;
  s.in_start = s.in ? context_get(c, starts_bytes) : NULL;
  out->start = s.in_start ? context_get(c, starts_bytes) : NULL;
  status result = out->start ? fill(c, &s) : STATUS_NO_MEMORY;
  if (s.in_start) context_put(c, s.in_start, starts_bytes);
  if (s.in) context_put(c, s.in, entries_bytes);
  if (s.own) context_put(c, s.own, entries_bytes);
  if (result != STATUS_OK) affinities_free(out);
  return result;
}

void affinities_free(affinities *a) {
  if (a->start) allocator_put(a->memory, a->start, (size_t)(a->n + 1) * sizeof *a->start);
  if (a->column) allocator_put(a->memory, a->column, (size_t)a->n_entries * sizeof *a->column);
  if (a->value) allocator_put(a->memory, a->value, (size_t)a->n_entries * sizeof *a->value);
  *a = (affinities){ 0 };
}
