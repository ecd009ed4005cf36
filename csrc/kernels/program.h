/* program.h -- operations one after the other on a few samples: shapes are looked at once for many calls.
**
** A program is written while the operations run in the ordinary way (program_add after each), and then does the same
** to any x whose samples have the same shape and strides.  It is for small networks: what it keeps and what lies
** between its steps must fit into a nearby cache.
** Samples go through all the steps in chunks, so that threads meet once and not at every step. */
#ifndef PERILUNE_PROGRAM_H
#define PERILUNE_PROGRAM_H

#include "op.h"

typedef struct program program;

/* Empty, for at most n_steps operations.  NULL: no memory. */
program *program_new(context *c, int n_steps);
void program_free(program *p);   /* p may be NULL */

/* Would it be worth while to write a program for x? */
bool program_wants(const tensor *x);
/* The call has just been run, unrecorded; its first input is the output of the call before. */
void program_add(program *p, op_call *call);
/* Something was done that a program cannot do: it will never be complete. */
void program_spoil(program *p);
/* All calls have been added, y is the output of the last one. */
void program_finish(program *p, const tensor *y);

/* Have x's samples the shape and strides for which it was written? */
bool program_fits(const program *p, const tensor *x);
/* Can it be run?  Otherwise it only tells that for such an x there is no program. */
bool program_is_complete(const program *p);
/* *y = a new tensor.  May fail with STATUS_NO_MEMORY. */
status program_run(context *c, const program *p, const tensor *x, tensor **y);

#endif
