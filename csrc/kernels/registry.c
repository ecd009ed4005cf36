/* registry.c -- every operation there is, one line each, by family and then by name. */
#include "registry.h"

/* views and indexing */
extern const op op_clone, op_contiguous, op_expand, op_flatten, op_narrow, op_permute, op_reshape;
extern const op op_select, op_slice, op_squeeze, op_to, op_transpose, op_unflatten, op_unsqueeze;

/* elementwise */
extern const op op_abs, op_add, op_ceil, op_clamp, op_cos, op_div, op_elu, op_eq, op_erf;
extern const op op_exp, op_expm1, op_floor, op_floor_divide, op_fmod, op_ge, op_gelu, op_gt;
extern const op op_isfinite, op_isinf, op_isnan, op_le, op_leaky_relu, op_lerp, op_log;
extern const op op_log1p, op_logical_and, op_logical_not, op_logical_or, op_logical_xor;
extern const op op_lt, op_masked_fill, op_maximum, op_minimum, op_mul, op_ne, op_neg, op_pow;
extern const op op_reciprocal, op_relu, op_remainder, op_round, op_rsqrt, op_sigmoid, op_sign;
extern const op op_silu, op_sin, op_softplus, op_sqrt, op_square, op_sub, op_tanh, op_where;

/* reductions, order, index */
extern const op op_all, op_amax, op_amin, op_any, op_argmax, op_argmin, op_argsort, op_cat;
extern const op op_count_nonzero, op_cumprod, op_cumsum, op_flip, op_gather, op_index_select;
extern const op op_log_softmax, op_logsumexp, op_masked_select, op_max, op_mean, op_min;
extern const op op_nonzero, op_norm, op_one_hot, op_prod, op_roll, op_scatter, op_scatter_add;
extern const op op_softmax, op_sort, op_stack, op_std, op_sum, op_topk, op_tril, op_triu;
extern const op op_var;

/* matrix products and linear algebra */
extern const op op_addmm, op_bmm, op_cholesky, op_det, op_dot, op_eigh, op_eigvalsh, op_inv, op_linear, op_lstsq;
extern const op op_matmul, op_mm, op_mv, op_outer, op_qr, op_slogdet, op_solve, op_svd, op_svdvals;

/* convolution */
extern const op op_conv2d, op_conv_transpose2d;

/* layers */
extern const op op_adaptive_avg_pool2d, op_avg_pool2d, op_batch_norm, op_dropout, op_embedding, op_layer_norm;
extern const op op_max_pool2d, op_max_pool2d_with_indices, op_upsample;

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
  &op_abs,
  &op_add,
  &op_ceil,
  &op_clamp,
  &op_cos,
  &op_div,
  &op_elu,
  &op_eq,
  &op_erf,
  &op_exp,
  &op_expm1,
  &op_floor,
  &op_floor_divide,
  &op_fmod,
  &op_ge,
  &op_gelu,
  &op_gt,
  &op_isfinite,
  &op_isinf,
  &op_isnan,
  &op_le,
  &op_leaky_relu,
  &op_lerp,
  &op_log,
  &op_log1p,
  &op_logical_and,
  &op_logical_not,
  &op_logical_or,
  &op_logical_xor,
  &op_lt,
  &op_masked_fill,
  &op_maximum,
  &op_minimum,
  &op_mul,
  &op_ne,
  &op_neg,
  &op_pow,
  &op_reciprocal,
  &op_relu,
  &op_remainder,
  &op_round,
  &op_rsqrt,
  &op_sigmoid,
  &op_sign,
  &op_silu,
  &op_sin,
  &op_softplus,
  &op_sqrt,
  &op_square,
  &op_sub,
  &op_tanh,
  &op_where,

  /* reductions, order, index */
  &op_all,
  &op_amax,
  &op_amin,
  &op_any,
  &op_argmax,
  &op_argmin,
  &op_argsort,
  &op_cat,
  &op_count_nonzero,
  &op_cumprod,
  &op_cumsum,
  &op_flip,
  &op_gather,
  &op_index_select,
  &op_log_softmax,
  &op_logsumexp,
  &op_masked_select,
  &op_max,
  &op_mean,
  &op_min,
  &op_nonzero,
  &op_norm,
  &op_one_hot,
  &op_prod,
  &op_roll,
  &op_scatter,
  &op_scatter_add,
  &op_softmax,
  &op_sort,
  &op_stack,
  &op_std,
  &op_sum,
  &op_topk,
  &op_tril,
  &op_triu,
  &op_var,

  /* matrix products and linear algebra */
  &op_addmm,
  &op_bmm,
  &op_cholesky,
  &op_det,
  &op_dot,
  &op_eigh,
  &op_eigvalsh,
  &op_inv,
  &op_linear,
  &op_lstsq,
  &op_matmul,
  &op_mm,
  &op_mv,
  &op_outer,
  &op_qr,
  &op_slogdet,
  &op_solve,
  &op_svd,
  &op_svdvals,

  /* convolution */
  &op_conv2d,
  &op_conv_transpose2d,

  /* layers */
  &op_adaptive_avg_pool2d,
  &op_avg_pool2d,
  &op_batch_norm,
  &op_dropout,
  &op_embedding,
  &op_layer_norm,
  &op_max_pool2d,
  &op_max_pool2d_with_indices,
  &op_upsample,

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
