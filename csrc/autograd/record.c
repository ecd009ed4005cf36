/* record.c -- running an operation and putting it on the tape. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "node.h"

/* Most calls have few inputs: their scratch lies on the stack. */
enum { FEW = 8 };

typedef struct call_scratch {
  tensor_meta meta[FEW];
  bool needs_gradient[FEW];
} call_scratch;

static tensor_meta meta_of(const tensor *t) {
  tensor_meta meta = { .dtype = t->dtype, .n_dims = t->n_dims };
  memcpy(meta.shape, t->shape, (size_t)t->n_dims * sizeof *t->shape);
  return meta;
}

static size_t scratch_bytes(int n_inputs) { return (size_t)n_inputs * (sizeof(tensor_meta) + sizeof(bool)); }

static status call_begin(op_call *call, call_scratch *scratch) {
  if (call->n_inputs <= FEW) {
    call->input_meta = scratch->meta;
    call->needs_gradient = scratch->needs_gradient;
    return STATUS_OK;
  }
  void *block = context_get(call->context, scratch_bytes(call->n_inputs));
  if (block == NULL) return STATUS_NO_MEMORY;
  call->input_meta = block;
  call->needs_gradient = (bool *)(call->input_meta + call->n_inputs);
  return STATUS_OK;
}

static void call_end(op_call *call) {
  for (int k = 0; k < MAX_SAVED; k++) tensor_release(call->saved[k]);
  if (call->n_inputs > FEW) context_put(call->context, call->input_meta, scratch_bytes(call->n_inputs));
}

static void drop_outputs(op_call *call) {
  for (int k = 0; k < MAX_OUTPUTS; k++) {
    tensor_release(call->outputs[k]);
    call->outputs[k] = NULL;
  }
}

static bool wants_recording(const op_call *call) {
  if (!call->context->grad_enabled || call->op->backward == NULL) return false;
  for (int i = 0; i < call->n_inputs; i++)
    if (call->inputs[i] != NULL && call->inputs[i]->requires_grad) return true;
  return false;
}

static int count_values(const op *operation) {
  int n = 0;
  for (const parameter *p = operation->parameters; p->name != NULL; p++)
    n += p->kind != P_TENSOR && p->kind != P_TENSOR_OR_NIL && p->kind != P_TENSOR_LIST;
  return n;
}

/* A saved tensor becomes an alias without history: a node that saves its own output is then no cycle. */
static status move_saved(node *n, op_call *call) {
  for (int k = 0; k < MAX_SAVED; k++) {
    if (call->saved[k] == NULL) continue;
    n->saved[k] = tensor_alias(call->context, call->saved[k]);
    if (n->saved[k] == NULL) return STATUS_NO_MEMORY;
    n->saved_version[k] = atomic_load(&n->saved[k]->storage->version);
  }
  return STATUS_OK;
}

static void watch_view(node *n, const op_call *call) {
  tensor *out = call->outputs[0];
  for (int i = 0; i < call->n_inputs; i++) {
    if (call->inputs[i] == NULL || out == NULL || call->inputs[i]->storage != out->storage) continue;
    n->viewed = storage_watch(out->storage);
    n->viewed_version = atomic_load(&out->storage->version);
    return;
  }
}

static status attach_outputs(node *n, op_call *call, int n_outputs) {
  n->n_outputs = n_outputs;
  for (int k = 0; k < n_outputs; k++) {
    if (call->outputs[k] == NULL) continue;
    n->output_meta[k] = meta_of(call->outputs[k]);
    if (!dtype_is_float(call->outputs[k]->dtype)) continue;
    status code = history_attach(call->context, call->outputs[k], n, k);
    if (code != STATUS_OK) return code;
  }
  return STATUS_OK;
}

static status fill_node(node *n, op_call *call, int n_outputs) {
  memcpy(n->memo, call->memo, sizeof n->memo);
  memcpy(n->input_meta, call->input_meta, (size_t)n->n_inputs * sizeof *n->input_meta);
  memcpy(n->needs_gradient, call->needs_gradient, (size_t)n->n_inputs * sizeof *n->needs_gradient);
  for (int i = 0; i < n->n_inputs; i++)
    if (n->needs_gradient[i]) n->edges[i] = edge_to(call->inputs[i]);
  status code = move_saved(n, call);
  if (code != STATUS_OK) return code;
  watch_view(n, call);
  return attach_outputs(n, call, n_outputs);
}

static status record(op_call *call) {
  int n_values = count_values(call->op);
  node *n = node_new(call->context, call->n_inputs, n_values);
  if (n == NULL) return STATUS_NO_MEMORY;
  n->operation = call->op;
  memcpy(n->values, call->values, (size_t)n_values * sizeof *n->values);
  status code = fill_node(n, call, call->op->n_outputs);
  node_release(n); /* the outputs' histories own it now */
  return code;
}

/* -- anomaly mode -- */

static bool has_nan(context *c, tensor *t) {
  if (!dtype_is_float(t->dtype)) return false;
  tensor *dense = tensor_contiguous(c, t);
  if (dense == NULL) return false;
  bool found = false;
  int64_t n = tensor_numel(dense);
  for (int64_t i = 0; i < n && !found; i++)
    found = t->dtype == DTYPE_FLOAT32 ? isnan(tensor_float32(dense)[i]) : isnan(tensor_float64(dense)[i]);
  tensor_release(dense);
  return found;
}

static status look_for_nan(op_call *call) {
  for (int k = 0; k < call->op->n_outputs && call->outputs[k] != NULL; k++)
    if (has_nan(call->context, call->outputs[k]))
      return context_fail(call->context, STATUS_INVALID, "%s: the result has a NaN (found by the anomaly mode)",
                          call->op->name);
  return STATUS_OK;
}

status anomaly_check_gradient(context *c, tensor *g, const char *name) {
  if (!has_nan(c, g)) return STATUS_OK;
  return context_fail(c, STATUS_INVALID, "%s: its backward made a NaN (found by the anomaly mode)", name);
}

/* Messages about memory come from below, where the operation is not known. */
static void name_failure(const op_call *call, status code) {
  char message[sizeof call->context->error];
  if (code != STATUS_NO_MEMORY) return;
  memcpy(message, call->context->error, sizeof message);
  context_fail(call->context, code, "%s: %s", call->op->name, message);
}

/* Forward, up to but without recording. */
static status run_forward(op_call *call, bool recording) {
  for (int i = 0; i < call->n_inputs; i++) {
    tensor *t = call->inputs[i];
    call->needs_gradient[i] = recording && t != NULL && t->requires_grad;
    if (t != NULL) call->input_meta[i] = meta_of(t);
    else call->input_meta[i] = (tensor_meta){ 0 };
  }
  status code = call->op->forward(call);
  if (code == STATUS_OK && call->context->anomaly) code = look_for_nan(call);
  return code;
}

static void fill_call(op_call *call, const op_value *values) {
  memcpy(call->values, values, (size_t)count_values(call->op) * sizeof *values);
}

static status apply(context *c, const op *operation, int n_inputs, tensor **inputs, const op_value *values,
                    tensor **outputs, program *p) {
  call_scratch scratch;
  op_call call = { .context = c, .op = operation, .n_inputs = n_inputs, .inputs = inputs };
  status code = call_begin(&call, &scratch);
  if (code != STATUS_OK) return code;
  fill_call(&call, values);
  bool recording = wants_recording(&call);
  code = run_forward(&call, recording);
  if (code == STATUS_OK && recording) code = record(&call);
  if (code == STATUS_OK && p != NULL) program_add(p, &call);
  name_failure(&call, code);
  if (code != STATUS_OK) drop_outputs(&call);
  call_end(&call);
  memcpy(outputs, call.outputs, (size_t)operation->n_outputs * sizeof *outputs);
  return code;
}

status autograd_apply(context *c, const op *operation, int n_inputs, tensor **inputs, const op_value *values,
                      tensor **outputs) {
  return apply(c, operation, n_inputs, inputs, values, outputs, NULL);
}

status autograd_apply_in_program(context *c, const op *operation, int n_inputs, tensor **inputs,
                                 const op_value *values, tensor **outputs, program *p) {
  return apply(c, operation, n_inputs, inputs, values, outputs, p);
}

status autograd_flops(context *c, const op *operation, int n_inputs, tensor **inputs, const op_value *values,
                      double *n_flops) {
  call_scratch scratch;
  op_call call = { .context = c, .op = operation, .n_inputs = n_inputs, .inputs = inputs };
  status code = call_begin(&call, &scratch);
  if (code != STATUS_OK) return code;
  fill_call(&call, values);
  code = run_forward(&call, false);
  if (code == STATUS_OK) *n_flops = operation->flops(&call);
  name_failure(&call, code);
  drop_outputs(&call);
  call_end(&call);
  return code;
}

/* -- in place -- */

static status in_place_allowed(op_call *call, bool recording) {
  context *c = call->context;
  const tensor *x = call->inputs[0];
  const char *name = call->op->name;
  if (x->is_number) return context_fail(c, STATUS_INVALID, "%s_: a number cannot be changed in place", name);
  if (tensor_is_expanded(x))
    return context_fail(c, STATUS_INVALID, "%s_: the tensor %s repeats elements (expand); clone it first", name,
                        tensor_shape_text(x).text);
  if (!recording && !(c->grad_enabled && x->requires_grad)) return STATUS_OK;
  if (!recording)
    return context_fail(c, STATUS_INVALID, "%s_: not differentiable, and the tensor is on the tape; use no_grad", name);
  if (tensor_is_leaf(x) && x->requires_grad)
    return context_fail(c, STATUS_INVALID,
                        "%s_: a leaf that requires a gradient cannot be changed in place; use no_grad", name);
  if (x->is_view)
    return context_fail(c, STATUS_INVALID,
                        "%s_: a view on the tape cannot be changed in place; use %s, or clone() it first", name, name);
  return STATUS_OK;
}

/* The result must fit into x as it is. */
static status result_fits(op_call *call) {
  context *c = call->context;
  const tensor *x = call->inputs[0], *result = call->outputs[0];
  if (!tensor_same_shape(x, result))
    return context_fail(c, STATUS_INVALID, "%s_: the result is %s but the tensor is %s", call->op->name,
                        tensor_shape_text(result).text, tensor_shape_text(x).text);
  if (result->dtype > x->dtype && (dtype_is_float(result->dtype) != dtype_is_float(x->dtype) || x->dtype == DTYPE_BOOL))
    return context_fail(c, STATUS_INVALID, "%s_: the result is %s and cannot be kept in a %s tensor", call->op->name,
                        dtype_name(result->dtype), dtype_name(x->dtype));
  return STATUS_OK;
}

/* What the backward wants of the value that is about to be overwritten is copied first. */
static status keep_old_value(op_call *call) {
  for (int k = 0; k < MAX_SAVED; k++) {
    tensor *saved = call->saved[k];
    if (saved == NULL || saved->storage != call->inputs[0]->storage) continue;
    tensor *copy = tensor_clone(call->context, saved);
    if (copy == NULL) return STATUS_NO_MEMORY;
    copy->is_number = saved->is_number;
    tensor_release(saved);
    call->saved[k] = copy;
  }
  return STATUS_OK;
}

/* x takes over the history of the result. */
static void take_history(tensor *x, tensor *result) {
  if (x->history != NULL) x->history->release(x->history);
  x->history = result->history;
  x->requires_grad = result->requires_grad;
  result->history = NULL;
}

status autograd_apply_in_place(context *c, const op *operation, int n_inputs, tensor **inputs,
                               const op_value *values) {
  call_scratch scratch;
  op_call call = { .context = c, .op = operation, .n_inputs = n_inputs, .inputs = inputs };
  status code = call_begin(&call, &scratch);
  if (code != STATUS_OK) return code;
  fill_call(&call, values);
  bool recording = wants_recording(&call);
  code = in_place_allowed(&call, recording);
  if (code == STATUS_OK) code = run_forward(&call, recording);
  if (code == STATUS_OK) code = result_fits(&call);
  if (code == STATUS_OK && recording) code = keep_old_value(&call);
  if (code == STATUS_OK && recording) code = record(&call);
  if (code == STATUS_OK) code = tensor_copy(c, inputs[0], call.outputs[0]);
  if (code == STATUS_OK && recording) take_history(inputs[0], call.outputs[0]);
  name_failure(&call, code);
  drop_outputs(&call);
  call_end(&call);
  return code;
}

/* -- user-defined operations -- */

status autograd_record_custom(context *c, custom_op custom, int n_inputs, tensor **inputs, int n_outputs,
                              tensor **outputs) {
  call_scratch scratch;
  op described = { .name = custom.name, .backward = custom.backward, .n_outputs = n_outputs };
  op_call call = { .context = c, .op = &described, .n_inputs = n_inputs, .inputs = inputs };
  bool recording = wants_recording(&call);
  status code = recording ? call_begin(&call, &scratch) : STATUS_OK;
  node *n = code == STATUS_OK && recording ? node_new(c, n_inputs, 0) : NULL;
  if (n == NULL) {
    if (custom.release != NULL) custom.release(custom.data);
    if (recording && code == STATUS_OK) call_end(&call);
    return recording ? STATUS_NO_MEMORY : STATUS_OK;
  }
  n->custom = custom;
  snprintf(n->name, sizeof n->name, "%s", custom.name);
  n->described = described;
  n->described.name = n->name;
  n->operation = &n->described;
  for (int i = 0; i < n_inputs; i++) {
    call.needs_gradient[i] = inputs[i]->requires_grad;
    call.input_meta[i] = meta_of(inputs[i]);
  }
  memcpy(call.outputs, outputs, (size_t)n_outputs * sizeof *outputs);
  code = fill_node(n, &call, n_outputs);
  node_release(n);
  call_end(&call);
  return code;
}
