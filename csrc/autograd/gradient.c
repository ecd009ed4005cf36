/* gradient.c -- what users see of gradients: leaves, .grad, hooks; and the sum of two gradients. */
#include <string.h>

#include "../tensor/iterate.h"
#include "node.h"

static void add_float32(int64_t n, char *const *data, const int64_t *step, const void *extra) {
  (void)extra;
  if (step[0] == 4 && step[1] == 4) {
    float *to = (float *)(void *)data[0];
    const float *from = (const float *)(const void *)data[1];
    for (int64_t i = 0; i < n; i++) to[i] += from[i];
    return;
  }
  for (int64_t i = 0; i < n; i++)
    *(float *)(void *)(data[0] + i * step[0]) += *(const float *)(const void *)(data[1] + i * step[1]);
}

static void add_float64(int64_t n, char *const *data, const int64_t *step, const void *extra) {
  (void)extra;
  for (int64_t i = 0; i < n; i++)
    *(double *)(void *)(data[0] + i * step[0]) += *(const double *)(const void *)(data[1] + i * step[1]);
}

status gradient_add(context *c, tensor **slot, tensor *g) {
  if (*slot == NULL) {
    *slot = tensor_retain(g);
    return STATUS_OK;
  }
  if (!tensor_owns_alone(*slot) || tensor_is_expanded(*slot)) {
    tensor *own = tensor_clone(c, *slot);
    if (own == NULL) return STATUS_NO_MEMORY;
    tensor_release(*slot);
    *slot = own;
  }
  tensor *operands[2] = { *slot, g };
  iterate(c, 2, operands, g->dtype == DTYPE_FLOAT32 ? add_float32 : add_float64, NULL);
  return STATUS_OK;
}

bool tensor_is_leaf(const tensor *t) { return t->history == NULL || history_of(t)->node == NULL; }

const char *tensor_operation(const tensor *t) {
  return tensor_is_leaf(t) ? NULL : history_of(t)->node->operation->name;
}

tensor *tensor_gradient(const tensor *t) { return t->history != NULL ? history_of(t)->gradient : NULL; }

status tensor_set_gradient(context *c, tensor *t, tensor *g) {
  if (g == NULL && t->history == NULL) return STATUS_OK;
  if (g != NULL && (!tensor_same_shape(t, g) || t->dtype != g->dtype))
    return context_fail(c, STATUS_INVALID, "grad: the gradient is %s %s but the tensor is %s %s",
                        tensor_shape_text(g).text, dtype_name(g->dtype), tensor_shape_text(t).text,
                        dtype_name(t->dtype));
  status code = history_ensure(c, t);
  if (code != STATUS_OK) return code;
  tensor_history *h = history_of(t);
  tensor_retain(g);
  tensor_release(h->gradient);
  h->gradient = g;
  return STATUS_OK;
}

status tensor_set_requires_grad(context *c, tensor *t, bool requires_grad) {
  if (requires_grad && !dtype_is_float(t->dtype))
    return context_fail(c, STATUS_INVALID, "requires_grad_: only float32 and float64 tensors can have gradients, not %s",
                        dtype_name(t->dtype));
  if (!tensor_is_leaf(t) && !requires_grad)
    return context_fail(c, STATUS_INVALID, "requires_grad_: this tensor was made by %s; use detach()",
                        tensor_operation(t));
  t->requires_grad = requires_grad;
  return STATUS_OK;
}

status tensor_add_hook(context *c, tensor *t, gradient_hook call, void *data, void (*release)(void *data),
                       int64_t *id) {
  if (!t->requires_grad)
    return context_fail(c, STATUS_INVALID, "register_hook: the tensor does not require a gradient");
  status code = history_ensure(c, t);
  if (code != STATUS_OK) return code;
  hook *added = context_get(c, sizeof *added);
  if (added == NULL) return STATUS_NO_MEMORY;
  tensor_history *h = history_of(t);
  hook **end = h->node != NULL ? &h->node->hooks : &h->hooks;
  while (*end != NULL) end = &(*end)->next;
  *id = (int64_t)c->next_sequence++;
  *added = (hook){ .id = *id, .output = h->output, .call = call, .data = data, .release = release };
  *end = added;
  return STATUS_OK;
}

void tensor_remove_hook(tensor *t, int64_t id) {
  tensor_history *h = history_of(t);
  if (h == NULL) return;
  for (hook **at = h->node != NULL ? &h->node->hooks : &h->hooks; *at != NULL; at = &(*at)->next) {
    if ((*at)->id != id) continue;
    hook *gone = *at;
    *at = gone->next;
    if (gone->release != NULL) gone->release(gone->data);
    allocator_put(h->memory, gone, sizeof *gone);
    return;
  }
}

status hooks_run(context *c, hook *first, int output, tensor **gradient) {
  for (hook *h = first; h != NULL; h = h->next) {
    if (h->output != output) continue;
    status code = h->call(c, gradient, h->data);
    if (code != STATUS_OK) return code;
  }
  return STATUS_OK;
}
