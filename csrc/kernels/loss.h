/* loss.h -- the frame of the elementwise losses (mse_loss.c, binary_cross_entropy.c ...).
**
**   reduction none: y[i] = value(x[i], t[i]);   sum: their sum;   mean: sum / n;   batchmean: sum / shape[0]
** A loss gives leaf loops over dense pieces; the frame walks the operands in their own memory order, without
** copies where they have the same one, adds in double per chunk and then in chunk order, and applies the incoming
** gradient.  Inputs of the operation: input, target, then at most two weights that broadcast to the input. */
#ifndef PERILUNE_LOSS_H
#define PERILUNE_LOSS_H

#include "op.h"

enum { LOSS_NONE, LOSS_MEAN, LOSS_SUM, LOSS_BATCHMEAN };
enum { MAX_LOSS_INPUTS = 4 };

/* out[i] from in[0][i] (input), in[1][i] (target), in[2][i], in[3][i] (weights; NULL when not given).
** n <= ROW_BLOCK.  k: what the operation passed as constant. */
typedef void (*loss_loop)(int64_t n, void *out, const void *const *in, double k);

typedef struct loss {                /* each pair: float32, float64 */
  loss_loop value[2];
  loss_loop slope[2];                /* d value / d input */
  loss_loop target_slope[2];         /* d value / d target; NULL: minus slope */
} loss;

status loss_forward(op_call *call, const loss *l, int64_t reduction, double k);
status loss_backward(op_call *call, const loss *l, int64_t reduction, double k);

#endif
