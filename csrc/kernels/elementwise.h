/* elementwise.h -- what elementwise operations share: dtypes, broadcasting, memory order, strides.
**
** The author of an operation writes loops over dense arrays, one for each dtype it computes in:
**
**   static void exp_float32(int64_t n, void *const *data, const void *extra) {
**     float *y = data[0];
**     const float *x = data[1];
**     for (int64_t i = 0; i < n; i++) y[i] = ...
**
** data[0] is written and may be the same memory as an input; the others are the inputs in order.  All have the
** dtype that the loop computes in, except that the output of a `predicate` is bool (uint8_t).  Whatever is strided,
** broadcast or of another dtype is brought through small dense blocks, so that a loop never sees a step.
** Integer tensors of any kind are computed in int64; where there is no int64 loop they become float32. */
#ifndef PERILUNE_ELEMENTWISE_H
#define PERILUNE_ELEMENTWISE_H

#include "../tensor/iterate.h"
#include "../tensor/parallel.h"
#include "op.h"

typedef void (*dense_loop)(int64_t n, void *const *data, const void *extra);

typedef struct elementwise {
  dense_loop float32, float64;
  dense_loop int64;      /* NULL: integers become float32 */
  dense_loop boolean;    /* not NULL: everything is turned into bool first (x ~= 0), the other loops are not used */
  bool predicate;        /* the result is bool, and the loops write uint8_t */
} elementwise;

/* The dtype of mixed operands by PyTorch's rules: a Lua number (is_number) counts only by its kind (integer or
** float), a 0-dim tensor counts by its kind beside tensors with dims; otherwise the larger dtype wins. */
dtype promoted_dtype(int n, tensor *const *inputs);

/* outputs[0] = loops(inputs), of the promoted dtype, in the memory order of the first input of full shape. */
status elementwise_forward(op_call *call, const elementwise *loops, const void *extra);

/* The same for chosen operands and a chosen dtype in place of the promoted one. */
status elementwise_output(op_call *call, const elementwise *loops, dtype promoted, int n_inputs,
                          tensor *const *inputs, const void *extra);

/* input_gradients[i] = loops(operands), summed over the dims along which input i was broadcast.  operands[0]
** has the output's shape and float dtype (it is the output's gradient). */
status elementwise_gradient(op_call *call, int i, const elementwise *loops, int n_operands,
                            tensor *const *operands, const void *extra);
/* input_gradients[i] = the output's gradient itself, likewise summed. */
status elementwise_pass_gradient(op_call *call, int i);

/* to = loops(operands) without any allocation: `to` and all operands have dtype `compute` already, or are bool or
** uint8.  `to` may be one of the operands. */
void elementwise_run(const context *c, const elementwise *loops, dtype compute, tensor *to, int n_operands,
                     tensor *const *operands, const void *extra);

/* n items of dtype `stored`, `step` bytes apart, as a dense run of dtype `compute`: the same, or bool and uint8 become
** float32, float64 or int64. */
void dense_load(dtype stored, dtype compute, int64_t n, void *to, const char *from, int64_t step);
dense_loop dense_loop_for(const elementwise *loops, dtype compute);

/* The forward of most unary operations; keeps its input (or its output) for the backward. */
status elementwise_save_input(op_call *call, const elementwise *loops, const void *extra);
status elementwise_save_output(op_call *call, const elementwise *loops, const void *extra);
/* The step of a unary operation whose loop takes nothing extra. */
bool elementwise_repeat(const op_call *call, const elementwise *loops, op_step *s);
/* The forward of most binary operations; keeps both inputs. */
status elementwise_save_inputs(op_call *call, const elementwise *loops, const void *extra);
/* dx = loops(dy, saved[0]): the backward of most unary operations. */
status elementwise_saved_gradient(op_call *call, const elementwise *loops, const void *extra);

#endif
