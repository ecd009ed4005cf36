/* extremes.h -- what amax, amin, max and min share. */
#ifndef PERILUNE_EXTREMES_H
#define PERILUNE_EXTREMES_H

#include "reduce.h"

/* outputs[0] = the largest or smallest item over the reduced dims; keeps what the backward needs. */
status extreme_forward(op_call *call, fold_kind kind, const bool *reduced, bool keep);
/* nan_ties: where NaN is the extreme, the NaNs share the gradient; else it is NaN. */
status extreme_backward(op_call *call, const bool *reduced, bool nan_ties);

#endif
