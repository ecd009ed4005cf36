/* node.c -- the life of nodes and of the histories that hang on tensors.  See node.h. */
#include "node.h"

#include <string.h>

/* The node and its three arrays lie in one block. */
node *node_new(context *c, int n_inputs, int n_values) {
  size_t values_bytes = (size_t)n_values * sizeof(op_value);
  size_t each = sizeof(tensor_meta) + sizeof(edge) + sizeof(bool);
  size_t n_bytes = sizeof(node) + values_bytes + (size_t)n_inputs * each;
  node *n = context_get(c, n_bytes);
  if (n == NULL) return NULL;
  memset(n, 0, n_bytes);
  atomic_init(&n->references, 1);
  n->memory = c->memory;
  n->n_bytes = n_bytes;
  n->sequence = c->next_sequence++;
  n->n_inputs = n_inputs;
  n->values = (op_value *)(n + 1);
  n->input_meta = (tensor_meta *)(n->values + n_values);
  n->edges = (edge *)(n->input_meta + n_inputs);
  n->needs_gradient = (bool *)(n->edges + n_inputs);
  return n;
}

static void hooks_release(allocator *memory, hook *first) {
  while (first != NULL) {
    hook *next = first->next;
    if (first->release != NULL) first->release(first->data);
    allocator_put(memory, first, sizeof *first);
    first = next;
  }
}

void node_release_saved(node *n) {
  for (int k = 0; k < MAX_SAVED; k++) {
    tensor_release(n->saved[k]);
    n->saved[k] = NULL;
  }
  if (n->custom.release != NULL) n->custom.release(n->custom.data);
  n->custom.release = NULL;
  n->custom.data = NULL;
  n->spent = true;
}

/* Frees the node itself and pushes the nodes that lose their last reference on *doomed. */
static void node_free(node *n, node **doomed) {
  node_release_saved(n);
  storage_unwatch(n->viewed);
  hooks_release(n->memory, n->hooks);
  for (int i = 0; i < n->n_inputs; i++) {
    tensor_release(n->edges[i].leaf);
    node *source = n->edges[i].node;
    if (source == NULL || atomic_fetch_sub(&source->references, 1) != 1) continue;
    source->doomed = *doomed;
    *doomed = source;
  }
  allocator_put(n->memory, n, n->n_bytes);
}

void node_release(node *n) {
  if (n == NULL || atomic_fetch_sub(&n->references, 1) != 1) return;
  node *doomed = NULL;
  node_free(n, &doomed);
  while (doomed != NULL) {
    node *next = doomed;
    doomed = next->doomed;
    node_free(next, &doomed);
  }
}

static void history_release(history *base) {
  tensor_history *h = (tensor_history *)base;
  node_release(h->node);
  tensor_release(h->gradient);
  tensor_release(h->pending);
  hooks_release(h->memory, h->hooks);
  allocator_put(h->memory, h, sizeof *h);
}

status history_ensure(context *c, tensor *t) {
  if (t->history != NULL) return STATUS_OK;
  tensor_history *h = context_get(c, sizeof *h);
  if (h == NULL) return STATUS_NO_MEMORY;
  memset(h, 0, sizeof *h);
  h->base.release = history_release;
  h->memory = c->memory;
  t->history = &h->base;
  return STATUS_OK;
}

status history_attach(context *c, tensor *t, node *n, int output) {
  status code = history_ensure(c, t);
  if (code != STATUS_OK) return code;
  tensor_history *h = history_of(t);
  atomic_fetch_add(&n->references, 1);
  h->node = n;
  h->output = output;
  t->requires_grad = true;
  return STATUS_OK;
}

edge edge_to(tensor *input) {
  edge e = { 0 };
  tensor_history *h = history_of(input);
  if (h != NULL && h->node != NULL) {
    atomic_fetch_add(&h->node->references, 1);
    e.node = h->node;
    e.output = h->output;
  } else {
    e.leaf = tensor_retain(input);
  }
  return e;
}
