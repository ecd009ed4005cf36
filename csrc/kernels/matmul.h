/* matmul.h -- what matmul, mm, mv, bmm, dot, outer and addmm share: products of tensors, and their gradients. */
#ifndef PERILUNE_MATMUL_H
#define PERILUNE_MATMUL_H

#include "op.h"

/* How a 1-dim operand becomes a matrix: (1, K) or (K, 1). */
typedef enum matrix_view { VIEW_AS_IS, VIEW_AS_ROW, VIEW_AS_COLUMN } matrix_view;

/* outputs[0] = inputs[i] x inputs[i + 1] seen through the views, batch dims broadcast; the dims that the views
** added are left out of the result when `drop`.  Saves what the gradients want in saved[0] and saved[1], uses
** memo[0..3].  Checks dims and sizes, not dtypes. */
status matmul_run(op_call *call, matrix_view a_view, matrix_view b_view, bool drop);
status matmul_forward(op_call *call);    /* PyTorch's rules: 1-dim operands are a row and a column, dropped again */
status matmul_backward(op_call *call);   /* of any call of matmul_run */

/* out (..., M, N) = alpha a (..., M, K) b (..., K, N) + beta out; the batch dims of a and b broadcast to out's.
** All float32 or all float64; out must be contiguous.  May fail for memory or size only. */
status tensor_product(context *c, const char *name, tensor *out, tensor *a, tensor *b, double alpha, double beta);

/* t with its last two dims exchanged: a view. */
tensor *tensor_matrix_transposed(context *c, tensor *t);

double matmul_flops(const op_call *call);

#endif
