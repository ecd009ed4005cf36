/* conv_channels_body.h -- the loops of `channels` in conv_tiles.h, written once for any vector (conv_vector.h).
** Included behind conv_tiles_body.h, to be compiled for the instructions of the including file.
**
** A tile holds some pixels of a line x one or two vectors of output channels in registers.  Each x value is broadcast
** from memory (AVX-512 does so within the multiply-add), each vector of weights is read once for all pixels.  A sum has
** a latency of four cycles: short lines leave the units idle, so a line is cut into tiles of about the same length. */

/* The first n lanes, zeros behind them. */
INLINE vector load_first(const float *p, int64_t n) {
  if (n >= LANES) return load(p);
  float lanes[LANES] = { 0 };
  for (int64_t k = 0; k < n; k++) lanes[k] = p[k];
  return load(lanes);
}

/* `pixels` x `columns` sums, from the bias on, to whole vectors at y. */
INLINE void channels_tile(const channels_job *job, const float *x, float *y, ptrdiff_t y_step, int64_t output,
                          const int pixels, const int columns) {
  vector sum[CHANNELS_PIXELS * 2];
  const ptrdiff_t x_step = job->pixels.x_step;
  const conv_entry *end = job->taps + job->n_taps;
  const float *weight = job->weight + output;
  for (int c = 0; c < columns; c++) {
    vector start = job->bias ? load_first(job->bias + output + c * LANES, job->n_outputs - output - c * LANES) : zero();
#pragma GCC unroll 24
    for (int p = 0; p < pixels; p++) sum[p * columns + c] = start;
  }
  for (int64_t n = job->n_channels; n > 0; n--, x += job->x_channel, weight += job->weight_channel) {
    for (const conv_entry *tap = job->taps; tap < end; tap++) {
      vector factor[2];
      const float *at = x + tap->x;
#pragma GCC unroll 24
      for (int c = 0; c < columns; c++) factor[c] = load(weight + tap->w + c * LANES);
#pragma GCC unroll 24
      for (int p = 0; p < pixels; p++) {
        vector value = broadcast(at + p * x_step);
#pragma GCC unroll 24
        for (int c = 0; c < columns; c++)
          sum[p * columns + c] = multiply_add(value, factor[c], sum[p * columns + c]);
      }
    }
  }
  const bool relu = job->relu;
#pragma GCC unroll 24
  for (int p = 0; p < pixels; p++)
#pragma GCC unroll 24
    for (int c = 0; c < columns; c++) {
      vector result = sum[p * columns + c];
      store(y + p * y_step + c * LANES, relu ? rectify(result) : result);
    }
}

INLINE void channels_pixels(const channels_job *job, const float *x, float *y, ptrdiff_t y_step, int64_t output,
                            int64_t pixels, const int columns) {
  switch (pixels) {
    case 1: channels_tile(job, x, y, y_step, output, 1, columns); break;
    case 2: channels_tile(job, x, y, y_step, output, 2, columns); break;
    case 3: channels_tile(job, x, y, y_step, output, 3, columns); break;
    case 4: channels_tile(job, x, y, y_step, output, 4, columns); break;
    case 5: channels_tile(job, x, y, y_step, output, 5, columns); break;
    case 6: channels_tile(job, x, y, y_step, output, 6, columns); break;
    case 7: channels_tile(job, x, y, y_step, output, 7, columns); break;
    default: channels_tile(job, x, y, y_step, output, 8, columns); break;
  }
}

/* The tiles of all lines for one or two vectors of output channels.  Where the channels do not fill these, a tile is
** computed beside y: whole vectors would run into the next pixel. */
INLINE void channels_lines(const channels_job *job, int64_t output, const int most, const int columns) {
  float beside[CHANNELS_PIXELS * 2 * LANES];
  int64_t room = job->n_outputs - output, n = job->pixels.n, n_tiles = (n + most - 1) / most;
  bool full = room >= columns * LANES;
  ptrdiff_t step = job->pixels.y_step;
  for (int64_t line = 0; line < job->lines.n; line++) {
    const float *x = job->x + line * job->lines.x_step;
    float *y = job->y + line * job->lines.y_step + output;
    for (int64_t tile = 0, length; tile < n_tiles; tile++) {
      length = n / n_tiles + (tile < n % n_tiles);
      /* cppcheck-suppress legacyUninitvar */
      channels_pixels(job, x, full ? y : beside, full ? step : columns * LANES, output, length, columns);
      for (int64_t p = 0; p < length && !full; p++)
        memcpy(y + p * step, beside + p * columns * LANES, (size_t)room * sizeof *y);
      x += length * job->pixels.x_step;
      y += length * step;
    }
  }
}

static void channels(const channels_job *job) {
  int64_t output = 0;
  for (; output + LANES < job->n_outputs; output += 2 * LANES) channels_lines(job, output, CHANNELS_PAIR_PIXELS, 2);
  if (output < job->n_outputs) channels_lines(job, output, CHANNELS_PIXELS, 1);
}
