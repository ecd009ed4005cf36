/* conv_pass.c -- chooses the way of a convolution by dtype and batch, and brings its tensors into order for it.
**   float32, large batches       lanes order in and out             (conv_gather.c, conv_product.c)
**     3 x 3, stride 1, many channels   the same by Winograd's filtering   (conv_winograd.h)
**   float32, small batches       any order in, channels-last out    (conv_channels.c); backward in the lanes order
**   float64                      any order in, contiguous out       (conv_float64.c)
** Batches of 8 to 15 fill the lanes well enough where a backward, which is in the lanes order, is going to follow, or
** where there are too few output channels to fill vectors.  Both ways give the same bits.
** Saved for backward: x (in the order it was computed in), weight, and with ReLU the output. */
#include "conv_pass.h"

#include <string.h>

#include "conv_channels.h"
#include "conv_float64.h"
#include "conv_lanes.h"
#include "conv_winograd.h"

enum { LEAST_LANES = 8, SURELY_LANES = 16, LEAST_CHANNELS = 5, SAVED_X = 0, SAVED_WEIGHT = 1, SAVED_Y = 2 };

static conv_direction opposite(conv_direction to) { return to == TO_SMALL ? TO_LARGE : TO_SMALL; }

/* -- forward -- */

static void output_shape(int64_t shape[4], const conv_geometry *g, conv_direction to) {
  const int64_t *size = to == TO_SMALL ? g->small_size : g->large_size;
  shape[0] = g->n;
  shape[1] = to == TO_SMALL ? g->small_channels : g->large_channels;
  shape[2] = size[0];
  shape[3] = size[1];
}

/* (N, C, H, W) that lies in memory as (N, H, W, C). */
static tensor *new_channels_last(context *c, const int64_t shape[4]) {
  const int64_t memory[4] = { shape[0], shape[2], shape[3], shape[1] };
  tensor *t = tensor_new(c, DTYPE_FLOAT32, 4, memory);
  if (!t) return NULL;
  const int64_t stride[4] = { t->stride[0], t->stride[3], t->stride[1], t->stride[2] };
  memcpy(t->shape, shape, sizeof memory);
  memcpy(t->stride, stride, sizeof stride);
  return t;
}

/* Either direction and dtype.  lanes: x and y are in the lanes order.  bias may be NULL. */
static status gather(context *c, const conv_geometry *g, conv_direction to, bool lanes, tensor *y, tensor *x,
                     tensor *weight, tensor *bias, bool relu) {
  if (x->dtype == DTYPE_FLOAT64) {
    float64_image to_image = { tensor_float64(y), y->stride }, from_image = { tensor_float64(x), x->stride };
    return conv_float64_gather(c, g, to, to_image, from_image, tensor_float64(weight),
                               bias ? tensor_float64(bias) : NULL, relu);
  }
  const float *bias_data = bias ? tensor_float32(bias) : NULL;
  if (lanes && conv_winograd_suits(g, to))
    return conv_winograd_gather(c, g, to, tensor_float32(y), tensor_float32(x), tensor_float32(weight), bias_data,
                                relu);
  if (lanes)
    return conv_lanes_gather(c, g, to, tensor_float32(y), tensor_float32(x), tensor_float32(weight), bias_data,
                             relu);
  return conv_channels(c, g, to, tensor_float32(y), tensor_float32(x), x->stride, weight, bias_data, relu);
}

static void save(op_call *call, tensor *x, tensor *weight, tensor *y, bool relu) {
  bool bias = call->needs_gradient[2];
  if (call->needs_gradient[1]) op_save(call, SAVED_X, x);
  if (call->needs_gradient[0]) op_save(call, SAVED_WEIGHT, weight);
  if (relu && (call->needs_gradient[0] || call->needs_gradient[1] || bias)) op_save(call, SAVED_Y, y);
}

static bool takes_lanes(const op_call *call, const conv_geometry *g, conv_direction to) {
  bool recorded = call->needs_gradient[0] || call->needs_gradient[1] || call->needs_gradient[2];
  int64_t outputs = conv_weight_matrix(g, to).outputs;
  if (call->inputs[0]->dtype == DTYPE_FLOAT64 || g->n == 0) return false;
  if (g->n >= SURELY_LANES || !conv_channels_suits(g, to)) return true;
  return g->n >= LEAST_LANES && (recorded || outputs < LEAST_CHANNELS);
}

status conv_forward(op_call *call, const conv_geometry *g, conv_direction to, bool relu) {
  context *c = call->context;
  int64_t shape[4];
  output_shape(shape, g, to);
  bool float64 = call->inputs[0]->dtype == DTYPE_FLOAT64, lanes = takes_lanes(call, g, to);
  tensor *x = lanes ? tensor_lanes(c, call->inputs[0]) : tensor_retain(call->inputs[0]);
  tensor *weight = tensor_contiguous(c, call->inputs[1]);
  tensor *bias = call->inputs[2] ? tensor_contiguous(c, call->inputs[2]) : NULL;
  tensor *y = lanes                    ? tensor_new_lanes(c, DTYPE_FLOAT32, 4, shape)
              : float64 || g->n == 0 ? tensor_new(c, call->inputs[0]->dtype, 4, shape)
                                       : new_channels_last(c, shape);
  bool made = x && weight && y && (bias || !call->inputs[2]);
  status code = made ? STATUS_OK : STATUS_NO_MEMORY;
  if (made && g->n > 0) code = gather(c, g, to, lanes, y, x, weight, bias, relu);
  if (code == STATUS_OK) {
    save(call, x, weight, y, relu);
    call->outputs[0] = tensor_retain(y);
  }
  tensor_release(x);
  tensor_release(weight);
  tensor_release(bias);
  tensor_release(y);
  return code;
}

bool conv_repeat(const op_call *call, const conv_geometry *g, conv_direction to, bool relu, op_step *s) {
  const tensor *x = call->inputs[0], *weight = call->inputs[1], *bias = call->inputs[2];
  if (x->dtype != DTYPE_FLOAT32 || takes_lanes(call, g, to)) return false;
  if (!tensor_is_contiguous(weight) || (bias && !tensor_is_contiguous(bias))) return false;
  bool few_outputs = conv_weight_matrix(g, to).outputs < LEAST_CHANNELS;
  s->most = few_outputs ? LEAST_LANES - 1 : SURELY_LANES - 1;
  return conv_channels_repeat(call->context, g, to, x->stride, weight, bias ? tensor_float32(bias) : NULL, relu, s);
}

/* -- backward -- */

/* The tensors of one backward; all references are its own. */
typedef struct gradients {
  tensor *x, *weight, *y;      /* what was saved, in the order of the pass; or NULL */
  tensor *dy, *masked;         /* masked is dy without ReLU */
  tensor *dx, *dw, *db;        /* or NULL: not wanted */
} gradients;

static void release_all(gradients *s) {
  tensor *all[] = { s->x, s->weight, s->y, s->dy, s->masked, s->dx, s->dw, s->db };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) tensor_release(all[i]);
}

/* t in the order of the pass: lanes for float32.  NULL stays NULL. */
static tensor *in_order(context *c, tensor *t) {
  if (!t) return NULL;
  return t->dtype == DTYPE_FLOAT64 ? tensor_retain(t) : tensor_lanes(c, t);
}

static tensor *new_gradient(op_call *call, int i) {
  if (!call->needs_gradient[i]) return NULL;
  const tensor_meta *m = &call->input_meta[i];
  if (i == 0 && m->dtype == DTYPE_FLOAT32) return tensor_new_lanes(call->context, m->dtype, m->n_dims, m->shape);
  return tensor_new(call->context, m->dtype, m->n_dims, m->shape);
}

static bool missing(const op_call *call, int i, const tensor *t) {
  return call->needs_gradient[i] && !t;
}

/* dy is overwritten by its masked self where nobody else can see it. */
static status collect(op_call *call, gradients *s) {
  context *c = call->context;
  tensor *dy = call->output_gradients[0];
  bool ours = tensor_owns_alone(dy);
  s->x = in_order(c, call->saved[SAVED_X]);
  s->weight = tensor_retain(call->saved[SAVED_WEIGHT]);
  s->y = in_order(c, call->saved[SAVED_Y]);
  s->dy = in_order(c, dy);
  if (!s->dy) return STATUS_NO_MEMORY;
  if (!call->saved[SAVED_Y] || ours || s->dy != dy) s->masked = tensor_retain(s->dy);
  else if (dy->dtype == DTYPE_FLOAT64) s->masked = tensor_new(c, dy->dtype, dy->n_dims, dy->shape);
  else s->masked = tensor_new_lanes(c, dy->dtype, dy->n_dims, dy->shape);
  s->dx = new_gradient(call, 0);
  s->dw = new_gradient(call, 1);
  s->db = new_gradient(call, 2);
  bool bad = !s->masked || (call->saved[SAVED_X] && !s->x) || (call->saved[SAVED_Y] && !s->y) ||
             missing(call, 0, s->dx) || missing(call, 1, s->dw) || missing(call, 2, s->db);
  return bad ? STATUS_NO_MEMORY : STATUS_OK;
}

static status backward_float64(context *c, const conv_geometry *g, conv_direction to, gradients *s) {
  int64_t shape[4];
  output_shape(shape, g, to);
  float64_image dy = { tensor_float64(s->dy), s->dy->stride };
  float64_image masked = { tensor_float64(s->masked), s->masked->stride };
  float64_image y = { s->y ? tensor_float64(s->y) : NULL, s->y ? s->y->stride : NULL };
  if (s->y || s->db) conv_float64_mask(shape, s->db ? tensor_float64(s->db) : NULL, masked, dy, y);
  if (!s->dw) return STATUS_OK;
  float64_image x = { tensor_float64(s->x), s->x->stride };
  return conv_float64_weight(c, g, tensor_float64(s->dw), to == TO_SMALL ? masked : x, to == TO_SMALL ? x : masked);
}

static status backward_lanes(context *c, const conv_geometry *g, conv_direction to, gradients *s) {
  conv_output_gradient dy = { .dy = tensor_float32(s->dy),
                              .y = s->y ? tensor_float32(s->y) : NULL,
                              .masked = tensor_float32(s->masked),
                              .sum = s->db ? tensor_float32(s->db) : NULL };
  int64_t shape[4];
  output_shape(shape, g, to);
  status code = conv_lanes_mask(c, g->n, shape[1], shape[2] * shape[3], dy);
  if (code != STATUS_OK || !s->dw) return code;
  const float *x = tensor_float32(s->x), *masked = tensor_float32(s->masked);
  const float *small = to == TO_SMALL ? masked : x, *large = to == TO_SMALL ? x : masked;
  return (conv_winograd_weight_suits(g) ? conv_winograd_weight : conv_lanes_weight)(c, g, tensor_float32(s->dw), small,
                                                                                    large);
}

static status zero_gradients(context *c, gradients *s) {
  status code = s->dw ? tensor_fill(c, s->dw, 0) : STATUS_OK;
  return code == STATUS_OK && s->db ? tensor_fill(c, s->db, 0) : code;
}

static status run_backward(op_call *call, const conv_geometry *g, conv_direction to, gradients *s) {
  context *c = call->context;
  status code = collect(call, s);
  if (code != STATUS_OK) return code;
  if (g->n == 0) return zero_gradients(c, s);
  code = s->dy->dtype == DTYPE_FLOAT64 ? backward_float64(c, g, to, s) : backward_lanes(c, g, to, s);
  if (code != STATUS_OK || !s->dx) return code;
  return gather(c, g, opposite(to), true, s->dx, s->masked, s->weight, NULL, false);
}

status conv_backward(op_call *call, const conv_geometry *g, conv_direction to) {
  gradients s = { 0 };
  status code = run_backward(call, g, to, &s);
  if (code == STATUS_OK) {
    tensor *results[3] = { s.dx, s.dw, s.db };
    for (int i = 0; i < 3; i++) call->input_gradients[i] = tensor_retain(results[i]);
  }
  release_all(&s);
  return code;
}
