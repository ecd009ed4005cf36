/* node.h -- one recorded operation, and what the tape hangs on a tensor.  Private to autograd/.
**
** Ownership: a tensor's history owns a reference to the node that made it; a node owns its saved tensors (as
** aliases without history, so that there is no cycle) and a reference to each node or leaf its inputs came from. */
#ifndef PERILUNE_NODE_H
#define PERILUNE_NODE_H

#include "autograd.h"

typedef struct hook {
  struct hook *next;
  int64_t id;
  int output;                  /* of the node; 0 for a leaf */
  gradient_hook call;
  void *data;
  void (*release)(void *data);
} hook;

/* Where an input's gradient goes: to an output of another node, or into a leaf.  Both NULL: nowhere. */
typedef struct edge {
  struct node *node;
  int output;
  tensor *leaf;
} edge;

typedef struct node {
  atomic_int references;
  allocator *memory;
  size_t n_bytes;                        /* of this block, with what lies behind it */
  uint64_t sequence;                     /* order of recording: no edge leads to a larger one */
  const op *operation;
  op described;                          /* `operation` of a user-defined one */
  char name[48];                         /* of a user-defined one */
  custom_op custom;                      /* custom.backward != NULL: user-defined */
  int n_inputs, n_outputs;
  op_value *values;
  tensor *saved[MAX_SAVED];
  unsigned saved_version[MAX_SAVED];
  int64_t memo[MAX_MEMO];
  storage *viewed;                       /* output 0 is a view of an input: writes in place are noticed */
  unsigned viewed_version;
  tensor_meta output_meta[MAX_OUTPUTS];
  tensor_meta *input_meta;
  bool *needs_gradient;
  edge *edges;
  hook *hooks;
  bool spent;                            /* backward has freed what it saved */
  const void *visitor;                   /* the walk that is under way, or NULL */
  tensor *gradients[MAX_OUTPUTS];        /* collected by the walk that is under way */
  struct node *doomed;                   /* links nodes that are being released */
} node;

typedef struct tensor_history {
  history base;
  allocator *memory;
  node *node;                  /* NULL: a leaf */
  int output;
  tensor *gradient;            /* leaf: what the user sees as .grad */
  tensor *pending;             /* leaf: collected by the walk that is under way */
  hook *hooks;                 /* leaf */
} tensor_history;

static inline tensor_history *history_of(const tensor *t) { return (tensor_history *)t->history; }

node *node_new(context *c, int n_inputs, int n_values);
void node_release(node *n);               /* n may be NULL; iterative: graphs are deep */
void node_release_saved(node *n);
/* Makes sure that t has a history.  STATUS_NO_MEMORY */
status history_ensure(context *c, tensor *t);
status history_attach(context *c, tensor *t, node *n, int output);
edge edge_to(tensor *input);              /* with its own references */

/* slot += g.  Adds in place where nobody else can see the slot. */
status gradient_add(context *c, tensor **slot, tensor *g);
/* Calls the hooks of `output`; they may replace *gradient. */
status hooks_run(context *c, hook *first, int output, tensor **gradient);

/* Fails if g holds a NaN. */
status anomaly_check_gradient(context *c, tensor *g, const char *name);

#endif
