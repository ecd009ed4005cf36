/* rows.c -- see rows.h. */
#include "rows.h"

/* Dimensions of size other than 1, from the outermost in operand 0's memory to the innermost. */
static int sorted_dims(const tensor *t, int order[MAX_DIMS]) {
  int n = 0;
  for (int d = 0; d < t->n_dims; d++) {
    if (t->shape[d] == 1) continue;
    int at = n++;
    for (; at > 0 && t->stride[order[at - 1]] < t->stride[d]; at--) order[at] = order[at - 1];
    order[at] = d;
  }
  return n;
}

static bool lie_in_step(int n_operands, tensor *const *operands, int outer, int inner) {
  for (int k = 0; k < n_operands; k++)
    if (operands[k]->stride[outer] != operands[k]->stride[inner] * operands[k]->shape[inner]) return false;
  return true;
}

/* Merges dimensions from order[last] outwards; returns how many are left, their size in *size. */
static int merge(int n_operands, tensor *const *operands, const int *order, int last, int64_t *size) {
  *size = operands[0]->shape[order[last]];
  while (last > 0 && lie_in_step(n_operands, operands, order[last - 1], order[last]))
    *size *= operands[0]->shape[order[--last]];
  return last;
}

bool rows_plan(int n_operands, tensor *const *operands, rows *out) {
  int order[MAX_DIMS], left = sorted_dims(operands[0], order);
  *out = (rows){ .n_operands = n_operands, .count = 1, .length = 1 };
  if (tensor_numel(operands[0]) == 0) {
    out->length = 0;
    return true;
  }
  if (left == 0) return true;
  for (int k = 0; k < n_operands; k++)
    if (operands[k]->stride[order[left - 1]] != 1) return false;
  left = merge(n_operands, operands, order, left - 1, &out->length);
  if (left == 0) return true;
  for (int k = 0; k < n_operands; k++) {
    out->pitch[k] = operands[k]->stride[order[left - 1]];
    if (out->pitch[k] < out->length) return false;
  }
  return merge(n_operands, operands, order, left - 1, &out->count) == 0;
}

static tensor *copy_into(context *c, tensor *to, const tensor *from) {
  if (to != NULL && tensor_copy(c, to, from) != STATUS_OK) {
    tensor_release(to);
    return NULL;
  }
  return to;
}

tensor *rows_beside(context *c, tensor *t, const tensor *like) {
  rows r;
  if (like == NULL) return rows_plan(1, &t, &r) ? tensor_retain(t) : tensor_contiguous(c, t);
  tensor *both[2] = { (tensor *)(uintptr_t)like, t };
  if (tensor_same_shape(t, like) && rows_plan(2, both, &r)) return tensor_retain(t);
  return copy_into(c, tensor_new_like(c, like, t->dtype), t);
}

void rows_walk(const rows *r, int64_t begin, int64_t end, rows_body body, void *argument) {
  if (begin >= end) return;
  int64_t row = begin / r->length, column = begin % r->length;
  while (begin < end) {
    int64_t at[MAX_ROW_OPERANDS], n = r->length - column;
    if (n > ROW_BLOCK) n = ROW_BLOCK;
    if (n > end - begin) n = end - begin;
    for (int k = 0; k < r->n_operands; k++) at[k] = row * r->pitch[k] + column;
    body(argument, n, at);
    begin += n;
    column += n;
    if (column == r->length) column = 0, row++;
  }
}
