/* conv_float64.c -- the sums of conv_geometry.h as they stand there.
**   to_small  small[n][s][o] = sum over l, k of large[n][l][o * stride - padding + k * dilation] * w[s][l][k]
**   to_large  the transpose of the same matrix;  dw[s][l][k] = sum over n, o of small[n][s][o] * large[n][l][..] */
#include "conv_float64.h"

#include "../tensor/parallel.h"

typedef struct float64_plan {
  conv_window window;      /* only its axes and kernel */
  conv_matrix matrix;
  const conv_geometry *g;
  float64_image y, x;      /* gather: to y from x; weight: small and large */
  const double *weight, *bias;
  double *dw;
  bool relu;
} float64_plan;

static double *item(float64_image image, int64_t n, int64_t channel, int64_t row, int64_t column) {
  return image.data + n * image.stride[0] + channel * image.stride[1] + row * image.stride[2] +
         column * image.stride[3];
}

static double window_sum(const float64_plan *p, int64_t n, int64_t first_channel, conv_taps rows, conv_taps columns,
                         const double *weight) {
  double sum = 0;
  const conv_axis *vertical = &p->window.axis[0], *horizontal = &p->window.axis[1];
  for (int64_t i = 0; i < p->matrix.inputs; i++) {
    for (int64_t a = 0; a < rows.count; a++) {
      for (int64_t b = 0; b < columns.count; b++) {
        int64_t kh = rows.first + a * vertical->tap_step, kw = columns.first + b * horizontal->tap_step;
        sum += *item(p->x, n, first_channel + i, rows.input + a * vertical->input_step,
                     columns.input + b * horizontal->input_step) *
               weight[i * p->matrix.input_stride + kh * p->window.kernel[1] + kw];
      }
    }
  }
  return sum;
}

/* Items are sample x output channel. */
static void gather_planes(void *argument, int64_t begin, int64_t end) {
  const float64_plan *p = argument;
  int64_t n_channels = p->matrix.outputs * p->g->groups;
  for (int64_t at = begin; at < end; at++) {
    int64_t n = at / n_channels, channel = at % n_channels, group = channel / p->matrix.outputs;
    const double *weight = p->weight + group * p->matrix.group_stride +
                           channel % p->matrix.outputs * p->matrix.output_stride;
    for (int64_t row = 0; row < p->window.axis[0].n; row++) {
      for (int64_t column = 0; column < p->window.axis[1].n; column++) {
        double sum = window_sum(p, n, group * p->matrix.inputs, p->window.axis[0].taps[row],
                                p->window.axis[1].taps[column], weight);
        if (p->bias) sum += p->bias[channel];
        *item(p->y, n, channel, row, column) = p->relu && sum < 0 ? 0 : sum;
      }
    }
  }
}

static double tap_product(const float64_plan *p, int64_t s, int64_t l, int64_t kh, int64_t kw) {
  const conv_geometry *g = p->g;
  double sum = 0;
  for (int64_t n = 0; n < g->n; n++) {
    for (int64_t row = 0; row < g->small_size[0]; row++) {
      int64_t large_row = row * g->stride[0] - g->padding[0] + kh * g->dilation[0];
      if (large_row < 0 || large_row >= g->large_size[0]) continue;
      for (int64_t column = 0; column < g->small_size[1]; column++) {
        int64_t large_column = column * g->stride[1] - g->padding[1] + kw * g->dilation[1];
        if (large_column < 0 || large_column >= g->large_size[1]) continue;
        sum += *item(p->y, n, s, row, column) * *item(p->x, n, l, large_row, large_column);
      }
    }
  }
  return sum;
}

/* Items are the weight's (s, l). */
static void product_kernels(void *argument, int64_t begin, int64_t end) {
  const float64_plan *p = argument;
  const conv_geometry *g = p->g;
  int64_t large = g->large_channels / g->groups, small = g->small_channels / g->groups;
  for (int64_t at = begin; at < end; at++) {
    int64_t s = at / large, l = s / small * large + at % large;
    double *dw = p->dw + at * g->kernel[0] * g->kernel[1];
    for (int64_t kh = 0; kh < g->kernel[0]; kh++)
      for (int64_t kw = 0; kw < g->kernel[1]; kw++) *dw++ = tap_product(p, s, l, kh, kw);
  }
}

status conv_float64_gather(context *c, const conv_geometry *g, conv_direction to, float64_image y, float64_image x,
                           const double *weight, const double *bias, bool relu) {
  int64_t n_rows = conv_axis_length(g, to, 0), n_columns = conv_axis_length(g, to, 1);
  size_t n_bytes = (size_t)(n_rows + n_columns) * sizeof(conv_taps);
  conv_taps *taps = context_get(c, n_bytes);
  if (!taps) return STATUS_NO_MEMORY;
  float64_plan p = { .matrix = conv_weight_matrix(g, to), .g = g, .y = y, .x = x, .weight = weight, .bias = bias,
                     .relu = relu };
  p.window = (conv_window){ .kernel = { g->kernel[0], g->kernel[1] } };
  conv_axis_make(&p.window.axis[0], g, to, 0, taps);
  conv_axis_make(&p.window.axis[1], g, to, 1, taps + n_rows);
  parallel_for(c, g->n * g->groups * p.matrix.outputs, 1, gather_planes, &p);
  context_put(c, taps, n_bytes);
  return STATUS_OK;
}

status conv_float64_weight(context *c, const conv_geometry *g, double *dw, float64_image small,
                           float64_image large) {
  float64_plan p = { .g = g, .y = small, .x = large, .dw = dw };
  parallel_for(c, g->small_channels * (g->large_channels / g->groups), 1, product_kernels, &p);
  return STATUS_OK;
}

void conv_float64_mask(const int64_t shape[4], double *sum, float64_image masked, float64_image dy,
                       float64_image y) {
  for (int64_t channel = 0; channel < shape[1]; channel++) {
    double total = 0;
    for (int64_t n = 0; n < shape[0]; n++) {
      for (int64_t row = 0; row < shape[2]; row++) {
        for (int64_t column = 0; column < shape[3]; column++) {
          double value = *item(dy, n, channel, row, column);
          if (y.data && !(*item(y, n, channel, row, column) > 0)) value = 0;
          if (y.data) *item(masked, n, channel, row, column) = value;
          total += value;
        }
      }
    }
    if (sum) sum[channel] = total;
  }
}
