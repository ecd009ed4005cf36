/* backward.c -- walks the tape.
**
** 1. Collect the nodes that the roots lead to (with a stack of our own: graphs are deep), newest first.
** 2. Give the roots their gradients; then let each node turn the gradients of its outputs into those of its
**    inputs and hand them on.  Numbered in order of recording, every node has all its gradients when its turn comes.
** 3. What leaves collected waits in `pending` and becomes visible only when the whole walk has succeeded.
** A node's saved tensors are freed as soon as it has been walked, unless the caller retains the graph. */
#include <stdlib.h>
#include <string.h>

#include "node.h"

typedef struct walk {
  context *context;
  bool retain_graph;
  node **nodes;
  size_t n_nodes, nodes_room;
  tensor **leaves;             /* those with something pending; own references */
  size_t n_leaves, leaves_room;
  int n_inputs;                /* of perilune.grad: what to capture instead of leaving it in .grad */
  tensor **inputs, **results;
} walk;

/* Doubles an array of pointers when it is full. */
static status make_room(context *c, void *array_address, size_t used, size_t *room) {
  void **array = array_address;
  if (used < *room) return STATUS_OK;
  size_t larger = *room > 0 ? 2 * *room : 64;
  void *grown = context_get(c, larger * sizeof(void *));
  if (grown == NULL) return STATUS_NO_MEMORY;
  if (*room > 0) memcpy(grown, *array, used * sizeof(void *));
  if (*room > 0) context_put(c, *array, *room * sizeof(void *));
  *array = grown;
  *room = larger;
  return STATUS_OK;
}

static status visit(walk *w, node *n) {
  if (n == NULL) return STATUS_OK;
  if (n->visitor == w) return STATUS_OK;
  if (n->visitor != NULL)
    return context_fail(w->context, STATUS_INVALID, "backward: a walk through this graph is already under way");
  status code = make_room(w->context, &w->nodes, w->n_nodes, &w->nodes_room);
  if (code != STATUS_OK) return code;
  n->visitor = w;
  w->nodes[w->n_nodes++] = n;
  return STATUS_OK;
}

static int newest_first(const void *a, const void *b) {
  const node *left = *(node *const *)a, *right = *(node *const *)b;
  return left->sequence > right->sequence ? -1 : left->sequence < right->sequence;
}

/* The list of nodes doubles as the stack of what is still to be looked at. */
static status collect(walk *w, int n_roots, tensor **roots) {
  for (int k = 0; k < n_roots; k++) {
    status code = tensor_is_leaf(roots[k]) ? STATUS_OK : visit(w, history_of(roots[k])->node);
    if (code != STATUS_OK) return code;
  }
  for (size_t at = 0; at < w->n_nodes; at++) {
    for (int i = 0; i < w->nodes[at]->n_inputs; i++) {
      status code = visit(w, w->nodes[at]->edges[i].node);
      if (code != STATUS_OK) return code;
    }
  }
  if (w->n_nodes > 0) qsort(w->nodes, w->n_nodes, sizeof *w->nodes, newest_first);
  return STATUS_OK;
}

static status give_leaf(walk *w, tensor *leaf, tensor *g) {
  status code = history_ensure(w->context, leaf);
  if (code != STATUS_OK) return code;
  tensor_history *h = history_of(leaf);
  if (g->dtype != leaf->dtype)
    return context_fail(w->context, STATUS_INVALID, "backward: a tensor was %s when this was recorded and is %s now",
                        dtype_name(g->dtype), dtype_name(leaf->dtype));
  if (h->pending == NULL) {
    code = make_room(w->context, &w->leaves, w->n_leaves, &w->leaves_room);
    if (code != STATUS_OK) return code;
    w->leaves[w->n_leaves++] = tensor_retain(leaf);
  }
  return gradient_add(w->context, &h->pending, g);
}

static status give(walk *w, const edge *e, tensor *g) {
  if (e->node != NULL) return gradient_add(w->context, &e->node->gradients[e->output], g);
  if (e->leaf != NULL) return give_leaf(w, e->leaf, g);
  return STATUS_OK;
}

static tensor *ones(context *c, tensor *root) {
  tensor *g = tensor_new_like(c, root, root->dtype);
  if (g != NULL && tensor_fill(c, g, 1.0) != STATUS_OK) {
    tensor_release(g);
    return NULL;
  }
  return g;
}

static status seed(walk *w, tensor *root, tensor *gradient) {
  context *c = w->context;
  if (!root->requires_grad)
    return context_fail(c, STATUS_INVALID, "backward: nothing to do: the tensor does not require a gradient");
  if (gradient == NULL && tensor_numel(root) != 1)
    return context_fail(c, STATUS_INVALID,
                        "backward: the tensor is %s; a gradient must be given for other than one element",
                        tensor_shape_text(root).text);
  if (gradient != NULL && (!tensor_same_shape(root, gradient) || root->dtype != gradient->dtype))
    return context_fail(c, STATUS_INVALID, "backward: the gradient is %s %s but the tensor is %s %s",
                        tensor_shape_text(gradient).text, dtype_name(gradient->dtype), tensor_shape_text(root).text,
                        dtype_name(root->dtype));
  tensor *g = gradient != NULL ? tensor_retain(gradient) : ones(c, root);
  if (g == NULL) return STATUS_NO_MEMORY;
  edge e = edge_to(root);
  status code = give(w, &e, g);
  node_release(e.node);
  tensor_release(e.leaf);
  tensor_release(g);
  return code;
}

/* -- one node -- */

static status check_fresh(context *c, const node *n) {
  const char *name = n->operation->name;
  if (n->spent)
    return context_fail(c, STATUS_INVALID,
                        "backward: %s was walked before and its graph is freed; use { retain_graph = true } the first time",
                        name);
  bool stale = n->viewed != NULL && atomic_load(&n->viewed->version) != n->viewed_version;
  for (int k = 0; k < MAX_SAVED; k++)
    stale |= n->saved[k] != NULL && atomic_load(&n->saved[k]->storage->version) != n->saved_version[k];
  if (!stale) return STATUS_OK;
  return context_fail(c, STATUS_INVALID, "backward: a tensor that %s needs was changed in place after it was recorded",
                      name);
}

static bool has_gradient(const node *n) {
  for (int k = 0; k < n->n_outputs; k++)
    if (n->gradients[k] != NULL) return true;
  return false;
}

static status complete_gradients(context *c, node *n) {
  for (int k = 0; k < n->n_outputs; k++) {
    const tensor_meta *meta = &n->output_meta[k];
    if (n->gradients[k] == NULL) {
      n->gradients[k] = tensor_zeros(c, meta->dtype, meta->n_dims, meta->shape);
      if (n->gradients[k] == NULL) return STATUS_NO_MEMORY;
    }
    status code = hooks_run(c, n->hooks, k, &n->gradients[k]);
    if (code != STATUS_OK) return code;
  }
  return STATUS_OK;
}

static status check_result(context *c, const node *n, int i, const tensor *g) {
  const tensor_meta *meta = &n->input_meta[i];
  if (g == NULL)
    return context_fail(c, STATUS_INVALID, "%s: its backward gave no gradient for input %d", n->operation->name, i + 1);
  bool same = g->dtype == meta->dtype && g->n_dims == meta->n_dims &&
              memcmp(g->shape, meta->shape, (size_t)g->n_dims * sizeof *g->shape) == 0;
  if (same) return STATUS_OK;
  return context_fail(c, STATUS_INVALID, "%s: its backward gave a gradient %s %s for input %d, which is %s %s",
                      n->operation->name, tensor_shape_text(g).text, dtype_name(g->dtype), i + 1,
                      shape_to_text(meta->n_dims, meta->shape).text, dtype_name(meta->dtype));
}

static status hand_on(walk *w, node *n, tensor **results) {
  for (int i = 0; i < n->n_inputs; i++) {
    if (!n->needs_gradient[i]) continue;
    status code = check_result(w->context, n, i, results[i]);
    if (code == STATUS_OK && w->context->anomaly)
      code = anomaly_check_gradient(w->context, results[i], n->operation->name);
    if (code == STATUS_OK) code = give(w, &n->edges[i], results[i]);
    tensor_release(results[i]);
    results[i] = NULL;
    if (code != STATUS_OK) return code;
  }
  return STATUS_OK;
}

static status call_backward(walk *w, node *n, tensor **results) {
  op_call call = { .context = w->context,
                   .op = n->operation,
                   .n_inputs = n->n_inputs,
                   .input_meta = n->input_meta,
                   .needs_gradient = n->needs_gradient,
                   .output_gradients = n->gradients,
                   .input_gradients = results,
                   .data = n->custom.data };
  int n_values = (int)(((char *)n->input_meta - (char *)n->values) / (ptrdiff_t)sizeof *n->values);
  memcpy(call.values, n->values, (size_t)n_values * sizeof *n->values);
  memcpy(call.saved, n->saved, sizeof call.saved);
  memcpy(call.memo, n->memo, sizeof call.memo);
  return n->operation->backward(&call);
}

static void drop_gradients(node *n) {
  for (int k = 0; k < MAX_OUTPUTS; k++) {
    tensor_release(n->gradients[k]);
    n->gradients[k] = NULL;
  }
}

static status run_node(walk *w, node *n) {
  context *c = w->context;
  status code = check_fresh(c, n);
  if (code == STATUS_OK) code = complete_gradients(c, n);
  if (code != STATUS_OK) return code;
  size_t n_bytes = (size_t)n->n_inputs * sizeof(tensor *);
  tensor **results = context_get(c, n_bytes);
  if (results == NULL) return STATUS_NO_MEMORY;
  memset(results, 0, n_bytes);
  code = call_backward(w, n, results);
  drop_gradients(n);
  if (!w->retain_graph) node_release_saved(n);
  if (code == STATUS_OK) code = hand_on(w, n, results);
  for (int i = 0; i < n->n_inputs; i++) tensor_release(results[i]);
  context_put(c, results, n_bytes);
  return code;
}

/* -- the end of a walk -- */

/* What perilune.grad asked for at the output of a node, before the node uses it up. */
static status capture(walk *w, const node *n) {
  for (int i = 0; i < w->n_inputs; i++) {
    tensor_history *h = history_of(w->inputs[i]);
    if (h == NULL || h->node != n || n->gradients[h->output] == NULL) continue;
    status code = gradient_add(w->context, &w->results[i], n->gradients[h->output]);
    if (code != STATUS_OK) return code;
  }
  return STATUS_OK;
}

static void capture_leaves(walk *w) {
  for (int i = 0; i < w->n_inputs; i++) {
    tensor_history *h = history_of(w->inputs[i]);
    if (h != NULL && h->node == NULL) w->results[i] = tensor_retain(h->pending);
  }
}

static bool leaf_may_keep(const tensor *g) { return tensor_owns_alone(g) && tensor_is_contiguous(g); }

/* .grad += pending.  A gradient that others can see, or that is no dense tensor, is copied first. */
static status settle_leaf(context *c, tensor *leaf) {
  tensor_history *h = history_of(leaf);
  if (h->gradient != NULL) return gradient_add(c, &h->gradient, h->pending);
  if (leaf_may_keep(h->pending)) {
    h->gradient = tensor_retain(h->pending);
    return STATUS_OK;
  }
  tensor *own = tensor_new(c, leaf->dtype, leaf->n_dims, leaf->shape);
  if (own == NULL) return STATUS_NO_MEMORY;
  tensor_copy(c, own, h->pending);
  h->gradient = own;
  return STATUS_OK;
}

static status settle(walk *w) {
  for (size_t i = 0; i < w->n_leaves; i++) {
    tensor *leaf = w->leaves[i];
    status code = hooks_run(w->context, history_of(leaf)->hooks, 0, &history_of(leaf)->pending);
    if (code == STATUS_OK && w->n_inputs == 0) code = settle_leaf(w->context, leaf);
    if (code != STATUS_OK) return code;
  }
  if (w->n_inputs > 0) capture_leaves(w);
  return STATUS_OK;
}

static void finish(walk *w) {
  context *c = w->context;
  for (size_t i = 0; i < w->n_leaves; i++) {
    tensor_release(history_of(w->leaves[i])->pending);
    history_of(w->leaves[i])->pending = NULL;
    tensor_release(w->leaves[i]);
  }
  for (size_t i = 0; i < w->n_nodes; i++) {
    w->nodes[i]->visitor = NULL;
    drop_gradients(w->nodes[i]);
    node_release(w->nodes[i]);
  }
  if (w->leaves_room > 0) context_put(c, w->leaves, w->leaves_room * sizeof *w->leaves);
  if (w->nodes_room > 0) context_put(c, w->nodes, w->nodes_room * sizeof *w->nodes);
}

static status run(walk *w, int n_roots, tensor **roots, tensor **gradients) {
  status code = collect(w, n_roots, roots);
  /* From here on the walk keeps every node alive: user code in a hook may drop the last tensor. */
  for (size_t i = 0; i < w->n_nodes; i++) atomic_fetch_add(&w->nodes[i]->references, 1);
  for (int k = 0; k < n_roots && code == STATUS_OK; k++) code = seed(w, roots[k], gradients[k]);
  for (size_t i = 0; i < w->n_nodes && code == STATUS_OK; i++) {
    node *n = w->nodes[i];
    if (!has_gradient(n)) continue;
    code = capture(w, n);
    if (code == STATUS_OK) code = run_node(w, n);
  }
  if (code == STATUS_OK) code = settle(w);
  finish(w);
  return code;
}

static status run_without_recording(walk *w, int n_roots, tensor **roots, tensor **gradients) {
  bool grad_enabled = w->context->grad_enabled;
  w->context->grad_enabled = false;
  status code = run(w, n_roots, roots, gradients);
  w->context->grad_enabled = grad_enabled;
  return code;
}

status autograd_backward(context *c, tensor *root, tensor *gradient, bool retain_graph) {
  walk w = { .context = c, .retain_graph = retain_graph };
  return run_without_recording(&w, 1, &root, &gradient);
}

status autograd_gradients(context *c, int n_outputs, tensor **outputs, tensor **gradients, int n_inputs,
                          tensor **inputs, bool retain_graph, tensor **results) {
  walk w = { .context = c, .retain_graph = retain_graph, .n_inputs = n_inputs, .inputs = inputs, .results = results };
  memset(results, 0, (size_t)n_inputs * sizeof *results);
  status code = run_without_recording(&w, n_outputs, outputs, gradients);
  if (code == STATUS_OK) return code;
  for (int i = 0; i < n_inputs; i++) {
    tensor_release(results[i]);
    results[i] = NULL;
  }
  return code;
}
