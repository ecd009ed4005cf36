/* iterate.h -- one loop for every elementwise operation.
**
** Broadcasts the operands to the shape of operand 0, orders the dimensions by operand 0's strides, merges
** those that lie behind one another, and calls `loop` on runs of the innermost one, in parallel chunks
** that do not depend on the number of threads.
**
** A loop gets n items of each operand: data[k] is its first item, step[k] its distance in *bytes* (0 for a
** broadcast operand).  It should treat the dense case (every step the item's size) apart, so that the
** compiler vectorises it. */
#ifndef PERILUNE_ITERATE_H
#define PERILUNE_ITERATE_H

#include "tensor.h"

enum { MAX_OPERANDS = 6 };

typedef void (*iterate_loop)(int64_t n, char *const *data, const int64_t *step, const void *extra);

/* operands[0] is written (others may be, too); its shape is the loop's; the others' shapes must broadcast to it.
** extra is handed through.  Cannot fail. */
void iterate(const context *c, int n_operands, tensor *const *operands, iterate_loop loop, const void *extra);

#endif
