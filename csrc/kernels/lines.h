/* lines.h -- operations along one dim, whose authors see one dense line at a time.
**
** A line_function gets for each operand a dense line: data[k] with length[k] items of the operand's dtype; the first
** n_outputs operands are written.  Strided lines come through scratch, several neighbours at a time; dense ones are
** used where they lie.  Lines are independent: any of them may run on any thread. */
#ifndef PERILUNE_LINES_H
#define PERILUNE_LINES_H

#include "../tensor/parallel.h"
#include "op.h"

enum { MAX_LINES = 5 };

typedef struct line {
  void *data[MAX_LINES];
  int64_t length[MAX_LINES];
  void *scratch;               /* scratch_bytes long, 64-byte aligned; or NULL */
  const void *extra;
} line;

typedef void (*line_function)(const line *l);

typedef struct line_job {
  line_function function;
  int n_operands, n_outputs;
  tensor *operands[MAX_LINES];   /* of one shape, but for the sizes along dim */
  int dim;                       /* 0-based; of 0-dim tensors: 0 */
  size_t scratch_bytes;          /* that a call of the function wants */
  const void *extra;
} line_job;

status run_lines(context *c, const line_job *job);

/* A float operation along the dim in values[0].  Lines (y, x): outputs[0], which is saved[0] too, and input 0. */
status lines_forward(op_call *call, line_function float32, line_function float64);
/* Lines (dx, dy, saved[0]): input 0's gradient, the output's, and what the forward saved, of the same shape. */
status lines_backward(op_call *call, line_function float32, line_function float64);

#endif
