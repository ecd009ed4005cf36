/* conv_tiles.h -- the innermost loops of convolution on float32, one set for each instruction set.
**
** All of them are driven by a flat table of entries: entry e pairs the place of one input row (or input value)
** with the place of its weight.  Which taps are valid, what they are multiplied with, stride, padding, dilation
** and direction are all in the table; the loops below know nothing of them.
**
**   gather    lanes order: for one output pixel and all its output channels k
**               y[k][lane] = activation(bias[k] + sum_e weight[k][e] * x[e][lane])
**   cell      lanes order: for the 2 x 2 output pixels of one output channel that share their inputs, see conv_cells.c
**   product   lanes order: for a run of pixels
**               dw[k][e] += sum_pixel sum_lane dy[k][pixel][lane] * x[e][pixel][lane]
**   mask      lanes order: dy where y > 0, and its sum (the bias gradient)
**   channels  channels-last order, for small batches: for a patch of pixels
**               y[pixel][k] = activation(bias[k] + sum_channel sum_e weight[channel][e][k] * x[channel][e][pixel])
**
** Tiles live in registers: `rows` output channels x some vectors of lanes.  Loops read each x vector once for
** all rows of a tile, each weight once for all its vectors. */
#ifndef PERILUNE_CONV_TILES_H
#define PERILUNE_CONV_TILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct conv_entry {
  ptrdiff_t x;   /* elements from the job's x */
  ptrdiff_t w;   /* elements from the job's weight (or dw) */
} conv_entry;

typedef struct gather_job {
  float *y;                     /* (n_outputs, n_lanes), rows y_channel apart */
  ptrdiff_t y_channel;
  const float *x;
  const float *weight;          /* [block of `rows` outputs][entry][rows], see conv_tiles.rows */
  ptrdiff_t weight_block;
  const float *bias;            /* (n_outputs) or NULL */
  const conv_entry *entries;
  int64_t n_entries;
  int64_t n_outputs;
  int64_t n_lanes;              /* a multiple of conv_tiles.lanes */
  ptrdiff_t x_vector, y_vector; /* gather_strided: elements from one vector of lanes to the next */
  bool add;                     /* start from y instead of bias: a further block of entries */
  bool relu;
} gather_job;

/* Channels lie x_channel apart; a far row or column that does not exist is 0 away. */
typedef struct cell_job {
  float *y[2][2];               /* rows, columns: first those of one tap, then those of two */
  const float *x;               /* of the near row and column */
  ptrdiff_t x_channel, far_row, far_column;
  const float *weight;          /* 3 x 3 for each channel, weight_channel apart */
  ptrdiff_t weight_channel;
  int64_t n_channels;
  int64_t n_lanes;              /* a multiple of conv_tiles.lanes */
  float bias;
  bool relu;
} cell_job;

typedef struct product_job {
  float *dw;                    /* (n_rows, ...), rows dw_row apart; accumulated */
  ptrdiff_t dw_row;
  const float *dy;              /* rows dy_channel apart, pixels dy_step apart */
  ptrdiff_t dy_channel, dy_step;
  const float *x;               /* pixels x_step apart */
  ptrdiff_t x_step;
  const conv_entry *entries;
  int64_t n_entries;
  int64_t n_rows;
  int64_t n_pixels;
  int64_t n_lanes;              /* any number: what lies behind is not read as a number */
} product_job;

typedef struct mask_job {
  float *out;                   /* masked dy; may be dy itself; NULL: only the sum is wanted */
  const float *dy;
  const float *y;               /* NULL: no mask */
  ptrdiff_t step;               /* pixels apart, in all three */
  int64_t n_pixels;
  int64_t n_lanes;              /* as in product_job; out's padding is written, too */
} mask_job;

/* Pixels in one direction, and elements from one to the next. */
typedef struct channels_side { int64_t n; ptrdiff_t x_step, y_step; } channels_side;

typedef struct channels_job {
  float *y;                     /* (lines, pixels, n_outputs), the outputs dense */
  const float *x;
  channels_side lines, pixels;  /* tiles are made along the pixels of a line */
  const float *weight;          /* [channel][entry][n_outputs padded to `lanes`] */
  const float *bias;            /* (n_outputs) or NULL */
  const conv_entry *taps;       /* the entries of one channel */
  int64_t n_taps, n_channels;
  ptrdiff_t x_channel, weight_channel;
  int64_t n_outputs;
  bool relu;
} channels_job;

typedef struct conv_tiles {
  int64_t lanes;                /* floats in a vector */
  int64_t rows;                 /* output channels in a packed block of weights */
  int64_t product_rows;         /* dy channels that product handles at once */
  void (*gather)(const gather_job *job);           /* vectors of lanes lie behind one another */
  void (*gather_strided)(const gather_job *job);   /* they are the pixels of a run, where a row is one vector */
  void (*cell)(const cell_job *job);
  void (*product)(const product_job *job);
  float (*mask)(const mask_job *job);
  void (*channels)(const channels_job *job);
} conv_tiles;

/* The best set for this processor whose vectors divide rows of `padded` lanes. */
const conv_tiles *conv_tiles_for(int64_t padded);

/* One file each; the AVX ones exist on x86-64 only. */
extern const conv_tiles conv_tiles_base, conv_tiles_avx2, conv_tiles_avx512;

#endif
