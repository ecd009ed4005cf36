/* spatial.c -- see spatial.h. */
#include "spatial.h"

#include <inttypes.h>
#include <string.h>

#include "../tensor/parallel.h"

images images_of(tensor *t) {
  return (images){ .t = t, .n = t->shape[0], .channels = t->shape[1], .height = t->shape[2], .width = t->shape[3],
                   .row_bytes = lanes_padded(t->shape[0]) * (int64_t)dtype_size(t->dtype) };
}

void images_end(images *m) { tensor_release(m->t); }

status images_input(op_call *call, images *out) {
  status code = op_require_float(call);
  if (code == STATUS_OK && call->inputs[0]->n_dims != 4)
    code = op_fail(call, "x must be (N, C, H, W), but is %s", tensor_shape_text(call->inputs[0]).text);
  if (code != STATUS_OK) return code;
  tensor *t = tensor_lanes(call->context, call->inputs[0]);
  if (t == NULL) return STATUS_NO_MEMORY;
  *out = images_of(t);
  return STATUS_OK;
}

status images_output(op_call *call, int k, dtype d, const images *input, int64_t height, int64_t width, images *out) {
  int64_t shape[4] = { input->n, input->channels, height, width };
  call->outputs[k] = tensor_new_lanes(call->context, d, 4, shape);
  if (call->outputs[k] == NULL) return STATUS_NO_MEMORY;
  *out = images_of(call->outputs[k]);
  return STATUS_OK;
}

status images_gradients(op_call *call, int k, images *dy, images *dx) {
  const tensor_meta *meta = &call->input_meta[0];
  call->input_gradients[0] = tensor_new_lanes(call->context, meta->dtype, 4, meta->shape);
  if (call->input_gradients[0] == NULL) return STATUS_NO_MEMORY;
  *dx = images_of(call->input_gradients[0]);
  tensor *g = tensor_lanes(call->context, call->output_gradients[k]);
  if (g == NULL) return STATUS_NO_MEMORY;
  *dy = images_of(g);
  return STATUS_OK;
}

/* -- rows -- */

CLONES static void set_float32(int64_t n, float *restrict y, float a, const float *restrict x) {
  for (int64_t i = 0; i < n; i++) y[i] = a * x[i];
}

CLONES static void add_float32(int64_t n, float *restrict y, float a, const float *restrict x) {
  for (int64_t i = 0; i < n; i++) y[i] += a * x[i];
}

CLONES static void set_float64(int64_t n, double *restrict y, double a, const double *restrict x) {
  for (int64_t i = 0; i < n; i++) y[i] = a * x[i];
}

CLONES static void add_float64(int64_t n, double *restrict y, double a, const double *restrict x) {
  for (int64_t i = 0; i < n; i++) y[i] += a * x[i];
}

static void set_row_float32(int64_t n, void *y, double a, const void *x) { set_float32(n, y, (float)a, x); }
static void add_row_float32(int64_t n, void *y, double a, const void *x) { add_float32(n, y, (float)a, x); }
static void set_row_float64(int64_t n, void *y, double a, const void *x) { set_float64(n, y, a, x); }
static void add_row_float64(int64_t n, void *y, double a, const void *x) { add_float64(n, y, a, x); }

const row_loops *row_loops_for(dtype d) {
  static const row_loops float32 = { set_row_float32, add_row_float32 };
  static const row_loops float64 = { set_row_float64, add_row_float64 };
  return d == DTYPE_FLOAT32 ? &float32 : &float64;
}

/* -- windows -- */

enum { LARGEST = 1 << 30 };   /* of any option: sums of a few of them do not overflow */

static status check_size(op_call *call, const char *name, int64_t value) {
  if (value >= 1 && value <= LARGEST) return STATUS_OK;
  return op_fail(call, "%s must be in 1..%d, not %" PRId64, name, LARGEST, value);
}

static status check_axis(op_call *call, const axis *a) {
  status code = check_size(call, "kernel_size", a->kernel);
  if (code == STATUS_OK) code = check_size(call, "stride", a->stride);
  if (code == STATUS_OK) code = check_size(call, "dilation", a->dilation);
  if (code != STATUS_OK) return code;
  if (a->padding < 0 || a->padding > ((a->kernel - 1) * a->dilation + 1) / 2)
    return op_fail(call, "padding %" PRId64 " must be 0 to half of kernel_size %" PRId64, a->padding, a->kernel);
  if ((a->kernel - 1) * a->dilation > LARGEST)
    return op_fail(call, "kernel_size %" PRId64 " x dilation %" PRId64 " must not be over %d", a->kernel, a->dilation, LARGEST);
  return STATUS_OK;
}

/* PyTorch's rule: with ceil_mode a last window may hang over the end, but must begin inside or in the left padding. */
static void count_windows(axis *a, bool ceil_mode) {
  int64_t room = a->n_in + 2 * a->padding - a->dilation * (a->kernel - 1) - 1;
  if (room < 0) {
    a->n_out = 0;
    return;
  }
  a->n_out = (room + (ceil_mode ? a->stride - 1 : 0)) / a->stride + 1;
  if (ceil_mode && (a->n_out - 1) * a->stride >= a->n_in + a->padding) a->n_out--;
}

status axes_of_windows(op_call *call, const images *x, const op_value *kernel, const op_value *stride,
                       const op_value *padding, const op_value *dilation, bool ceil_mode, axis axes[2]) {
  for (int d = 0; d < 2; d++) {
    axis a = { .n_in = d == 0 ? x->height : x->width, .kernel = kernel->list.items[d],
               .stride = stride->list.items[d], .padding = padding->list.items[d],
               .dilation = dilation != NULL ? dilation->list.items[d] : 1 };
    if (a.stride == 0) a.stride = a.kernel;
    status code = check_axis(call, &a);
    if (code != STATUS_OK) return code;
    count_windows(&a, ceil_mode);
    if (a.n_out < 1)
      return op_fail(call, "a window of %" PRId64 " pixels does not fit into x, which is %s",
                     (a.kernel - 1) * a.dilation + 1, tensor_shape_text(x->t).text);
    axes[d] = a;
  }
  return STATUS_OK;
}
