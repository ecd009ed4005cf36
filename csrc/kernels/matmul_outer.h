/* matmul_outer.h -- a product of depth one, a column times a row: nothing is added up, it takes what writing takes. */
#ifndef PERILUNE_MATMUL_OUTER_H
#define PERILUNE_MATMUL_OUTER_H

#include "blas.h"

/* out[r][c] = alpha a[r] b[c]; out and b have column stride 1.  d: float32 or float64. */
void matmul_outer(dtype d, matrix out, matrix a, matrix b, double alpha);

#endif
