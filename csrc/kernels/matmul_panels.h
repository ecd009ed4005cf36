/* matmul_panels.h -- large float32 products on the tile of panel.h, where the processor has the registers for it.
**
** Blocks of both operands are laid out in panels, once for all that is multiplied with them, then tiles of the result
** are tasks.  On one Zen 4 core, which OpenBLAS 0.3.21 takes for a Cooper Lake, GFLOP/s against sgemm's or the small
** tile's: 100 against 90 for 128^3, 98 against 96 for 512^3, 103 against 94 for 1024^3 and 2048^3, 104 against 86 with
** both operands transposed.  There are processors with AVX-512 that OpenBLAS takes for ones without AVX. */
#ifndef PERILUNE_MATMUL_PANELS_H
#define PERILUNE_MATMUL_PANELS_H

#include "matmul_product.h"

/* Whether p, float32 and in normal form (out.column_stride is 1), is better off here: by shape and processor alone. */
bool panels_suit(const product *p);
/* All members of the batch.  STATUS_NO_MEMORY before anything is written, or STATUS_OK. */
status panels_run(context *c, const product *p);

#endif
