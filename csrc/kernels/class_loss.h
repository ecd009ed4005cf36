/* class_loss.h -- what nll_loss.c and cross_entropy.c share: scores, class targets and weights, reductions.
**
** Scores are (C), (N, C) or (N, C, d1, ...); targets int64 classes 1..C of shape (), (N) or (N, d1, ...).
** Samples are numbered 0 .. n_samples in the order of the contiguous target.  The score of class c for sample s
** lies at  s / inner * outer_stride + s % inner * inner_stride + c * class_stride.  (N, C) in contiguous and in lanes
** order is read in place; what else there is becomes contiguous first. */
#ifndef PERILUNE_CLASS_LOSS_H
#define PERILUNE_CLASS_LOSS_H

#include "op.h"

enum { CLASS_NONE, CLASS_MEAN, CLASS_SUM };
enum { CLASS_SCORES, CLASS_TARGET, CLASS_WEIGHT, CLASS_LSE };   /* places in saved[] */

typedef struct class_layout {
  int64_t n_samples, n_classes, inner;
  int64_t outer_stride, inner_stride, class_stride;
} class_layout;

static inline int64_t class_place(const class_layout *l, int64_t s) {
  return s / l->inner * l->outer_stride + s % l->inner * l->inner_stride;
}

class_layout class_layout_of(const tensor *scores);

/* Checks the inputs (scores, target, weight or NULL), including every label, and saves them in readable orders. */
status class_begin(op_call *call, int64_t ignore_index);

/* Weight of sample s: that of its class, 0 when it is ignored. */
double class_sample_weight(const op_call *call, int64_t s, int64_t ignore_index);

/* The output from the losses by sample (double): reduced, or in the target's shape.
** The mean divides by the sum of the samples' weights. */
status class_finish(op_call *call, const double *losses, int64_t reduction, int64_t ignore_index);

/* Factor of sample s's gradient, without its weight: that of the reduction times the output's gradient. */
typedef struct class_incoming {
  tensor *gradient;      /* contiguous, by sample; NULL: one factor */
  double factor;
} class_incoming;
status class_incoming_begin(op_call *call, int64_t reduction, int64_t ignore_index, class_incoming *out);
static inline double class_incoming_at(const class_incoming *g, int64_t s) {
  if (g->gradient == NULL) return g->factor;
  return g->gradient->dtype == DTYPE_FLOAT32 ? (double)tensor_float32(g->gradient)[s] : tensor_float64(g->gradient)[s];
}
void class_incoming_end(class_incoming *g);

#endif
