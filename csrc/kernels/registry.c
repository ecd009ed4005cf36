/* registry.c -- every operation there is, one line each, by family and then by name. */
#include "registry.h"

/* views and indexing */
extern const op op_clone, op_contiguous, op_expand, op_flatten, op_narrow, op_permute, op_reshape;
extern const op op_select, op_slice, op_squeeze, op_to, op_transpose, op_unflatten, op_unsqueeze;

/* elementwise */

/* reductions, order, index */

/* matrix products and linear algebra */
extern const op op_addmm, op_bmm, op_dot, op_linear, op_matmul, op_mm, op_mv, op_outer;

/* convolution */

/* layers */
extern const op op_adaptive_avg_pool2d, op_avg_pool2d, op_max_pool2d, op_max_pool2d_with_indices;

/* losses */
extern const op op_binary_cross_entropy, op_binary_cross_entropy_with_logits, op_cross_entropy, op_kl_div, op_l1_loss;
extern const op op_mse_loss, op_nll_loss, op_smooth_l1_loss;

const op *const registry[] = {
  /* views and indexing */
  &op_clone,
  &op_contiguous,
  &op_expand,
  &op_flatten,
  &op_narrow,
  &op_permute,
  &op_reshape,
  &op_select,
  &op_slice,
  &op_squeeze,
  &op_to,
  &op_transpose,
  &op_unflatten,
  &op_unsqueeze,

  /* elementwise */

  /* reductions, order, index */

  /* matrix products and linear algebra */
  &op_addmm,
  &op_bmm,
  &op_dot,
  &op_linear,
  &op_matmul,
  &op_mm,
  &op_mv,
  &op_outer,

  /* convolution */

  /* layers */
  &op_adaptive_avg_pool2d,
  &op_avg_pool2d,
  &op_max_pool2d,
  &op_max_pool2d_with_indices,

  /* losses */
  &op_binary_cross_entropy,
  &op_binary_cross_entropy_with_logits,
  &op_cross_entropy,
  &op_kl_div,
  &op_l1_loss,
  &op_mse_loss,
  &op_nll_loss,
  &op_smooth_l1_loss,

  NULL,
};
