/* conv_winograd_transform.h -- the transforms of Winograd's minimal filtering F(2x2, 3x3) on images in the lanes order.
** Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016.
**
** A tile is 2 x 2 outputs of one channel; it reads 4 x 4 inputs d, and in the middle has 16 *positions*:
**     y = A' [ sum over channels of (G g G') .* (B' d B) ] A       g the filter, .* by position, ' transposed
**          1  0 -1  0         1    0    0
**     B' = 0  1  1  0    G = 1/2  1/2  1/2    A' = 1  1  1  0
**          0 -1  1  0        1/2 -1/2  1/2         0  1 -1 -1
**          0  1  0 -1         0    0    1
** The gradient with respect to g is G' [ sum over tiles of (A dy A') .* (B' d B) ] G: F(3x3, 2x2) with the same points.
** All of them work on WINOGRAD_LANES floats side by side.  Leaves for parallel bodies; they cannot fail. */
#ifndef PERILUNE_CONV_WINOGRAD_TRANSFORM_H
#define PERILUNE_CONV_WINOGRAD_TRANSFORM_H

#include <stdint.h>
#include <stddef.h>

enum { WINOGRAD_LANES = 16, WINOGRAD_POSITIONS = 16, WINOGRAD_INPUT = 4, WINOGRAD_OUTPUT = 2, WINOGRAD_FILTER = 3 };

/* Floats from one item to the next, from row to row and from pixel to pixel of a tile. */
typedef struct winograd_strides { ptrdiff_t item, row, pixel; } winograd_strides;

/* A run: neighbouring tiles of a row, of `n_vectors` * WINOGRAD_LANES samples side by side, of one channel. */
enum { WINOGRAD_RUN = 8, WINOGRAD_RUN_FLOATS = 4 * WINOGRAD_RUN * WINOGRAD_INPUT * WINOGRAD_LANES };
typedef struct winograd_run {
  const float *row[WINOGRAD_INPUT];   /* the first tile's first pixel in each row that there is, else NULL */
  ptrdiff_t pixel;                    /* floats to the next one */
  int64_t first, last;                /* pixels of the 2 n_tiles + 2 in a row that there are */
  int64_t n_tiles, n_vectors;         /* n_tiles * n_vectors <= WINOGRAD_RUN */
} winograd_run;

/* v[tile, vector][position] = B' d B, `pitch` and `position` floats apart; what is not there counts as 0. */
void winograd_input(float *v, ptrdiff_t pitch, ptrdiff_t position, const winograd_run *run);
/* w[row][position] = A dy A' for n rows of WINOGRAD_LANES floats that follow one another, in dy and in w; dy's 2 x 2
** pixels lie `row` and `pixel` apart. */
void winograd_gradient(int64_t n, float *w, ptrdiff_t position, const float *dy, ptrdiff_t row, ptrdiff_t pixel);
/* y = max(A' m A + bias[item], floor) for n items, m[item][position]; of the 2 x 2 pixels the first
** `rows` x `columns` are written.  bias may be NULL; NaN stays NaN. */
void winograd_output(int64_t n, float *y, winograd_strides at, int64_t rows, int64_t columns, const float *m,
                     ptrdiff_t m_item, ptrdiff_t m_position, const float *bias, float floor);

/* u[position][lane] = G g G' for taps g[3 x 3][lane]; positions lie `position` floats apart. */
void winograd_filter(float *u, ptrdiff_t position, const float *g);
/* dg[3 x 3][lane] = G' du G for du[position][lane]. */
void winograd_filter_gradient(float *dg, const float *du);

#endif
