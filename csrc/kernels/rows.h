/* rows.h -- tensors that are, in memory, evenly spaced dense rows: walked without copies in their own order.
**
** A dense tensor in any memory order is one row; a tensor in lanes order is C*H*W rows of N items, P apart.
** rows_plan finds the rows that several tensors of one shape have in common, so that a loop over pairs of
** elements (a loss and its target, a mask) may go straight through both.  Items are numbered in that order:
** chunks of items depend on the shapes only. */
#ifndef PERILUNE_ROWS_H
#define PERILUNE_ROWS_H

#include "../tensor/tensor.h"

enum { MAX_ROW_OPERANDS = 6, ROW_BLOCK = 512, ROWS_GRAIN = 1 << 14 };

typedef struct rows {
  int n_operands;
  int64_t count, length;                 /* count rows of length items */
  int64_t pitch[MAX_ROW_OPERANDS];       /* items from row to row */
} rows;

/* Operands of the same shape; false unless they share such rows (any strides that are not in step). */
bool rows_plan(int n_operands, tensor *const *operands, rows *out);

/* t itself, retained, if it can be walked beside `like` (or alone, when like is NULL); otherwise a copy that can.
** `like` must be walkable itself.  Broadcasts t to like's shape. */
tensor *rows_beside(context *c, tensor *t, const tensor *like);

/* Calls body with dense pieces of at most ROW_BLOCK items, in order: operand k's piece is n items from at[k]. */
typedef void (*rows_body)(void *argument, int64_t n, const int64_t *at);
void rows_walk(const rows *r, int64_t begin, int64_t end, rows_body body, void *argument);
static inline int64_t rows_items(const rows *r) { return r->count * r->length; }

#endif
