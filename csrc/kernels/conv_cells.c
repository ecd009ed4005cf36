/* conv_cells.c -- transposed convolution that doubles the image (3 x 3, stride 2, padding 1, output padding 1) for a
** few output channels, in the lanes order: the last layer of a decoder.
**
** Input pixel (i, j) and its neighbours to the right and below are all that the outputs (2i, 2j) .. (2i + 1, 2j + 1),
** a *cell*, read: the even ones of a direction take the middle tap of the near input, the odd ones tap 0 of the far
** and tap 2 of the near one.  Pixel by pixel (conv_gather.c), one output channel has a multiply-add for each load, and
** comes for each input nine times; here it comes four times, for nine multiply-adds.
** On one Zen 4 core, 8 -> 1 channels, 256 images of 14 x 14: 120 us instead of 288.
** Each cell is computed by one thread in one order: the same bits for any number of threads, and those of a gather. */
#include "../tensor/parallel.h"
#include "conv_lanes.h"

/* With so many outputs a tile of a gather has enough to do for each load; with so few samples a cell's sums are too
** few to hide their latency. */
enum { FEWER_OUTPUTS = 4, MORE_SAMPLES = 32 };

typedef struct cells_plan {
  const conv_tiles *tiles;
  conv_matrix matrix;
  lanes_cut cut;
  lanes_strides x_strides, y_strides;
  int64_t groups, n_rows, n_columns;   /* of the small side */
  float *y;
  const float *x, *weight, *bias;
  bool relu;
} cells_plan;

bool conv_cells_suit(const conv_geometry *g, conv_direction to) {
  if (to != TO_LARGE || g->n <= MORE_SAMPLES || g->large_channels / g->groups >= FEWER_OUTPUTS) return false;
  for (int d = 0; d < 2; d++)
    if (g->kernel[d] != 3 || g->stride[d] != 2 || g->padding[d] != 1 || g->dilation[d] != 1 ||
        g->large_size[d] != 2 * g->small_size[d])
      return false;
  return true;
}

static void run_cell(const cells_plan *p, int64_t lane, int64_t group, int64_t row, int64_t column) {
  lanes_strides xs = p->x_strides, ys = p->y_strides;
  int64_t rest = p->cut.padded - lane;
  cell_job job = {
    .x = p->x + group * p->matrix.inputs * xs.channel + row * xs.row + column * xs.pixel + lane,
    .x_channel = xs.channel,
    .far_row = row + 1 < p->n_rows ? xs.row : 0,
    .far_column = column + 1 < p->n_columns ? xs.pixel : 0,
    .weight_channel = p->matrix.input_stride,
    .n_channels = p->matrix.inputs,
    .n_lanes = rest < p->cut.slice ? rest : p->cut.slice,
    .relu = p->relu,
  };
  for (int64_t output = 0; output < p->matrix.outputs; output++) {
    int64_t channel = group * p->matrix.outputs + output;
    float *y = p->y + channel * ys.channel + 2 * row * ys.row + 2 * column * ys.pixel + lane;
    for (int k = 0; k < 4; k++) job.y[k / 2][k % 2] = y + k / 2 * ys.row + k % 2 * ys.pixel;
    job.weight = p->weight + group * p->matrix.group_stride + output * p->matrix.output_stride;
    job.bias = p->bias ? p->bias[channel] : 0.0f;
    p->tiles->cell(&job);
  }
}

/* Items run over slices, groups, rows, columns, the last one fastest. */
static void run_cells(void *argument, int64_t begin, int64_t end) {
  const cells_plan *p = argument;
  for (int64_t item = begin; item < end; item++) {
    int64_t column = item % p->n_columns, row = item / p->n_columns % p->n_rows;
    int64_t rest = item / p->n_columns / p->n_rows;
    run_cell(p, rest / p->groups * p->cut.slice, rest % p->groups, row, column);
  }
}

/* Cells of a chunk: enough for a thread to be worth waking, and some 32 chunks to share out. */
static int64_t cells_grain(const cells_plan *p, int64_t n_items) {
  double work = (double)(p->matrix.outputs * p->matrix.inputs * p->matrix.taps) * (double)p->cut.slice;
  int64_t least = 1 + (int64_t)(1e5 / (work + 1)), share = (n_items + 31) / 32;
  return parallel_even_grain(n_items, least > share ? least : share);
}

void conv_lanes_cells(context *c, const conv_geometry *g, float *y, const float *x, const float *weight,
                      const float *bias, bool relu) {
  cells_plan p = { .matrix = conv_weight_matrix(g, TO_LARGE), .cut = lanes_cut_of(g->n, 256), .groups = g->groups,
                   .n_rows = g->small_size[0], .n_columns = g->small_size[1], .y = y, .x = x, .weight = weight,
                   .bias = bias, .relu = relu };
  p.tiles = conv_tiles_for(p.cut.padded);
  p.x_strides = lanes_strides_of(g->small_size, p.cut.padded);
  p.y_strides = lanes_strides_of(g->large_size, p.cut.padded);
  int64_t n_items = p.cut.n_slices * g->groups * p.n_rows * p.n_columns;
  parallel_for(c, n_items, cells_grain(&p, n_items), run_cells, &p);
}
