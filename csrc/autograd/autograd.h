/* autograd.h -- the tape: records operations, walks them backwards.
**
** Each recorded call is a node that owns what its backward needs and references the nodes (or leaves) that its
** inputs came from.  Nothing here knows of Lua; a node keeps C references only, so that a graph goes the moment
** its last tensor goes or backward has walked it, without waiting for a collector. */
#ifndef PERILUNE_AUTOGRAD_H
#define PERILUNE_AUTOGRAD_H

#include "../kernels/program.h"

/* Runs op on inputs, records it if any input requires a gradient and the context records.
** On success outputs[0 .. op->n_outputs) hold references for the caller. */
status autograd_apply(context *c, const op *operation, int n_inputs, tensor **inputs, const op_value *values,
                      tensor **outputs);

/* The same for a context that does not record; adds the operation to the program. */
status autograd_apply_in_program(context *c, const op *operation, int n_inputs, tensor **inputs,
                                 const op_value *values, tensor **outputs, program *p);

/* The in-place twin: the result goes into inputs[0].  Fails, leaving everything as it was, where the tape would
** need the overwritten value, and for a leaf that requires a gradient. */
status autograd_apply_in_place(context *c, const op *operation, int n_inputs, tensor **inputs,
                               const op_value *values);

/* What operation->flops (not NULL) says of the call.  Runs the forward, since the count may want its outputs. */
status autograd_flops(context *c, const op *operation, int n_inputs, tensor **inputs, const op_value *values,
                      double *n_flops);

/* A user-defined operation: like an op whose forward has already been run, with its own backward.
** data is freed with release when the node goes, also if this call fails. */
typedef struct custom_op {
  const char *name;
  status (*backward)(op_call *call);   /* reads call->data */
  void (*release)(void *data);
  void *data;
} custom_op;
status autograd_record_custom(context *c, custom_op custom, int n_inputs, tensor **inputs, int n_outputs,
                              tensor **outputs);

/* Gradients of the leaves are added into tensor_gradient(leaf).  gradient: NULL for a one-element root. */
status autograd_backward(context *c, tensor *root, tensor *gradient, bool retain_graph);
/* d(sum of outputs . gradients) / d inputs[i] into results[i] (new references; NULL where unrelated); leaves alone. */
status autograd_gradients(context *c, int n_outputs, tensor **outputs, tensor **gradients, int n_inputs,
                          tensor **inputs, bool retain_graph, tensor **results);

tensor *tensor_gradient(const tensor *t);                       /* borrowed, or NULL */
status tensor_set_gradient(context *c, tensor *t, tensor *g);   /* g may be NULL; retains it */
status tensor_set_requires_grad(context *c, tensor *t, bool requires_grad);   /* leaves only */
bool tensor_is_leaf(const tensor *t);
const char *tensor_operation(const tensor *t);                  /* name of the operation that made it, or NULL */

/* hook(gradient, data): may put a replacement (new reference) into *gradient.  Called before the gradient of t is
** used. */
typedef status (*gradient_hook)(context *c, tensor **gradient, void *data);
status tensor_add_hook(context *c, tensor *t, gradient_hook hook, void *data, void (*release)(void *data),
                       int64_t *id);
void tensor_remove_hook(tensor *t, int64_t id);

#endif
