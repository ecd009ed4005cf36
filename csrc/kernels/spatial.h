/* spatial.h -- what pooling and upsampling share: images (N, C, H, W) in lanes order, pixel by pixel.
**
** A pixel of a channel is a row of N adjacent samples, so that every window is a sum (or maximum) of whole rows and
** borders cost nothing.  An input in another order is brought into lanes order first; outputs and gradients are
** in lanes order.  Only the N samples of a row are touched, never its padding.  Channels are independent: they
** are the unit of parallel work. */
#ifndef PERILUNE_SPATIAL_H
#define PERILUNE_SPATIAL_H

#include "op.h"

/* A tensor in lanes order. */
typedef struct images {
  tensor *t;
  int64_t n, channels, height, width;
  int64_t row_bytes;                     /* from pixel to pixel */
} images;

static inline char *images_row(const images *m, int64_t channel, int64_t y, int64_t x) {
  return (char *)tensor_data(m->t) + ((channel * m->height + y) * m->width + x) * m->row_bytes;
}

/* Input 0, checked (4 dims, float) and in lanes order; images_end gives it back. */
status images_input(op_call *call, images *out);
/* outputs[k] of this size for the input's samples and channels. */
status images_output(op_call *call, int k, dtype d, const images *input, int64_t height, int64_t width, images *out);
/* output_gradients[k] in lanes order (images_end), and input_gradients[0] in lanes order, zeroed. */
status images_gradients(op_call *call, int k, images *dy, images *dx);
images images_of(tensor *t);
void images_end(images *m);

/* Rows of n items. */
typedef struct row_loops {
  void (*set)(int64_t n, void *y, double a, const void *x);   /* y = a x; not in place */
  void (*add)(int64_t n, void *y, double a, const void *x);   /* y += a x */
} row_loops;
const row_loops *row_loops_for(dtype d);

/* One spatial axis: outputs and the input pixels that each reads. */
typedef struct axis {
  int64_t n_in, n_out;
  int64_t kernel, stride, padding, dilation;
} axis;

/* The axes of a window operation from its P_PAIR values; stride 0 means the kernel's.  Sets n_out; fails on windows
** that do not fit.  dilation: NULL for 1. */
status axes_of_windows(op_call *call, const images *x, const op_value *kernel, const op_value *stride,
                       const op_value *padding, const op_value *dilation, bool ceil_mode, axis axes[2]);

#endif
