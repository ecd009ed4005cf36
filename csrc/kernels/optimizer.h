/* optimizer.h -- what an optimizer is: names of its state, defaults, and one fused update in place.
**
** An optimizer is one C file with one `const optimizer optimizer_NAME`, listed in bind/optimizers.c, which
** reads the arguments, makes missing state and checks everything.  The update cannot fail and allocates nothing.
** Updates are elementwise, so a parameter, its gradient and its state may have any strides. */
#ifndef PERILUNE_OPTIMIZER_H
#define PERILUNE_OPTIMIZER_H

#include "../tensor/tensor.h"

enum { MAX_OPTIMIZER_STATES = 3 };

typedef struct optimizer_options {
  double lr, weight_decay, eps, beta1, beta2, alpha, momentum, dampening, lr_decay, initial_accumulator_value;
  bool nesterov, amsgrad, centered, maximize;
} optimizer_options;

typedef struct optimizer_item {
  tensor *parameter;
  tensor *gradient;
  tensor *states[MAX_OPTIMIZER_STATES];   /* NULL: not used with these options */
  int64_t step;                           /* of this update: 1 for the first */
  bool is_new[MAX_OPTIMIZER_STATES];      /* states[k] has just been made */
} optimizer_item;

typedef struct optimizer {
  const char *name;
  optimizer_options defaults;
  bool counts_steps;
  const char *states[MAX_OPTIMIZER_STATES];                         /* PyTorch's names, or NULL */
  bool (*uses_state)(const optimizer_options *o, int k);
  double (*state_start)(const optimizer_options *o);                /* NULL: zeros */
  void (*update)(const context *c, const optimizer_item *item, const optimizer_options *o);
} optimizer;

/* One step: updates every item that has a gradient. */
void optimizer_step(const context *c, const optimizer *kind, int n, const optimizer_item *items,
                    const optimizer_options *o);

extern const optimizer optimizer_sgd, optimizer_adam, optimizer_adamw, optimizer_rmsprop, optimizer_adagrad;

/* -- for the authors of optimizers -- */

/* operands: parameter, gradient, states[0], [1], [2] (NULL where not used), each n dense items. */
typedef void (*optimizer_loop)(int64_t n, void *const *operands, const void *constants);
/* Runs the loop of the parameter's dtype over the item's elements, in parallel chunks. */
void optimizer_run(const context *c, const optimizer_item *item, optimizer_loop float32, optimizer_loop float64,
                   const void *constants);

/* -- gradient clipping: see clip_gradients.c -- */

/* The norm of all n gradients together into *norm; they are scaled in place where it exceeds max_norm. */
status clip_grad_norm(context *c, int n, tensor *const *gradients, double max_norm, double norm_type, double *norm);
void clip_grad_value(const context *c, int n, tensor *const *gradients, double limit);

#endif
