/* conv_geometry.h -- which input meets which weight: the one thing that convolution, transposed convolution and
** their gradients share.
**
** A convolution ties a *large* image (N, L, large_h, large_w) to a *small* one (N, S, small_h, small_w) through a
** weight (S, L/G, KH, KW):   large = small * stride - padding + tap * dilation   in each direction.
**   conv2d            reads large, writes small      weight (C_out, C_in/G, KH, KW)
**   conv_transpose2d  reads small, writes large      weight (C_in, C_out/G, KH, KW)
** The input gradient of each is the other's forward, the weight gradient is the same for both. */
#ifndef PERILUNE_CONV_GEOMETRY_H
#define PERILUNE_CONV_GEOMETRY_H

#include "conv_tiles.h"

typedef enum conv_direction { TO_SMALL, TO_LARGE } conv_direction;

typedef struct conv_geometry {
  int64_t n, groups;
  int64_t small_channels, large_channels;      /* of all groups together */
  int64_t small_size[2], large_size[2];        /* height, width */
  int64_t kernel[2], stride[2], padding[2], dilation[2];
} conv_geometry;

/* The taps that reach one output coordinate: first, first + tap_step, ... `count` of them, and the input
** coordinates that they read: input, input + input_step, ... */
typedef struct conv_taps { int32_t first, input, count; } conv_taps;

typedef struct conv_axis {
  int64_t n;                /* output coordinates */
  int64_t period;           /* coordinates this far apart mostly have the same taps */
  int64_t input_period;     /* and then their inputs are this far apart */
  int64_t tap_step, input_step;
  conv_taps *taps;          /* [n] */
} conv_axis;

/* Fills axis for direction d (0 rows, 1 columns); taps: room for conv_axis_length of them. */
int64_t conv_axis_length(const conv_geometry *g, conv_direction to, int d);
void conv_axis_make(conv_axis *axis, const conv_geometry *g, conv_direction to, int d, conv_taps *taps);

static inline bool conv_same_taps(conv_taps a, conv_taps b) { return a.first == b.first && a.count == b.count; }

/* The window of one output pixel over `channels` of the input, as a table of entries. */
typedef struct conv_window {
  conv_axis axis[2];
  int64_t kernel[2];
  int64_t channels;
  ptrdiff_t x_channel, x_row, x_pixel;   /* elements of the input from one to the next */
  ptrdiff_t weight_step;                 /* elements from the weight of one (channel, tap) to the next */
} conv_window;

enum { CONV_MAX_ENTRIES = 320 };

/* Entries [begin, end) of the window at (rows, columns), which has channels * rows.count * columns.count of them.
** x counts from the first channel's (rows.input, columns.input). */
void conv_window_entries(conv_entry *entries, const conv_window *w, conv_taps rows, conv_taps columns,
                         int64_t begin, int64_t end);
/* Entries per table: a window that is longer than CONV_MAX_ENTRIES is cut into even parts. */
int64_t conv_window_part(int64_t n_entries);

/* The weight as a matrix of `outputs` x (inputs * taps) for one group, whichever side is the output. */
typedef struct conv_matrix {
  int64_t outputs, inputs, taps;
  int64_t output_stride, input_stride, group_stride;   /* elements of the weight; taps are 1 apart */
} conv_matrix;
conv_matrix conv_weight_matrix(const conv_geometry *g, conv_direction to);

#endif
