/* transpose.h -- a matrix of float32 into the other memory order: contiguous to lanes and back. */
#ifndef PERILUNE_TRANSPOSE_H
#define PERILUNE_TRANSPOSE_H

#include "context.h"

/* to[j * to_stride + i] = from[i * from_stride + j] for i < rows, j < columns.  No overlap. */
void transpose_float32(const context *c, float *to, int64_t to_stride, const float *from, int64_t from_stride,
                       int64_t rows, int64_t columns);

#endif
