/* scatter.h -- what scatter and scatter_add share. */
#ifndef PERILUNE_SCATTER_H
#define PERILUNE_SCATTER_H

#include "indices.h"

/* outputs[0] = a copy of x into which src is moved; keeps the index in saved[0]. */
status scatter_forward(op_call *call, indices_move move);
/* input_gradients[2]: dy at the places where src went. */
status scatter_source_gradient(op_call *call);
int scatter_dim(op_call *call);

#endif
