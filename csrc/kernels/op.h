/* op.h -- what an operation is, and how it meets the tape and Lua.
**
** An operation is one C file that ends with one `const op op_NAME = { ... };` and one line in registry.c.
** Everything else follows from that description: the Lua function and tensor method (bind/), the recorded
** node and its backward (autograd/), the help text, and the generic spec and benchmark, which walk `samples`.
**
** The life of a call.  bind/ fills inputs[] and values[] from Lua's arguments in the order of `parameters`
** (tensors count in inputs[], all else in values[]), applying defaults.  forward checks shapes and dtypes,
** makes outputs[], and, where the backward needs them, puts tensors into saved[] and numbers into memo[].
** When the tape records, the node keeps values[], saved[] and memo[]; backward then gets output_gradients[]
** (never NULL) and must set input_gradients[i], a new reference of the input's shape and dtype, for
** every i with needs_gradient[i].  It adds up nothing: the tape does.
** inputs[] are there in the forward only: what backward wants of them is saved.  input_meta[i] (shape and dtype)
** is there in both. */
#ifndef PERILUNE_OP_H
#define PERILUNE_OP_H

#include "../tensor/context.h"
#include "../tensor/tensor.h"
#include "step.h"

enum { MAX_VALUES = 10, MAX_OUTPUTS = 3, MAX_SAVED = 6, MAX_MEMO = 12, MAX_PARAMETERS = 14 };

typedef enum parameter_kind {
  P_TENSOR,          /* a tensor, or a Lua number that becomes a 0-dim tensor (is_number) */
  P_TENSOR_OR_NIL,   /* inputs[i] may be NULL */
  P_TENSOR_LIST,     /* { t1, t2, ... }: only as the first and only tensor parameter; n_inputs varies */
  P_NUMBER,          /* .number */
  P_INTEGER,         /* .integer */
  P_FLAG,            /* .flag */
  P_DIM,             /* .integer, as the user wrote it: 1-based or negative; see op_dim */
  P_DIMS,            /* .list, likewise; a single integer or a table; count 0 = not given = all */
  P_SIZES,           /* .list of integers, given as a table or as the remaining positional arguments */
  P_PAIR,            /* .list of 2: "3" means (3, 3) */
  P_CHOICE,          /* .integer = 0-based position in `choices` */
  P_DTYPE            /* .integer = a dtype, given by name */
} parameter_kind;

enum {                /* parameter flags */
  OPTION = 1,         /* given by name in the trailing options table, never by position */
  CONSTANT = 2        /* a tensor without a gradient: one that requires it is refused (op_require_constants) */
};

typedef struct parameter {
  const char *name;
  parameter_kind kind;
  unsigned flags;
  const char *fallback;   /* as text: "1", "0,0", "false", "mean"; "" = an empty list; NULL = must be given */
  const char *choices;    /* P_CHOICE: "none|mean|sum" */
} parameter;

typedef struct op_value {
  double number;
  int64_t integer;
  bool flag;
  struct { int64_t items[MAX_DIMS]; int count; } list;
} op_value;

typedef struct tensor_meta {
  dtype dtype;
  int n_dims;
  int64_t shape[MAX_DIMS];
} tensor_meta;

typedef struct op_call {
  context *context;
  const struct op *op;
  int n_inputs;
  tensor **inputs;               /* borrowed; entries may be NULL for P_TENSOR_OR_NIL */
  tensor_meta *input_meta;
  bool *needs_gradient;          /* by input; all false when the tape does not record */
  op_value values[MAX_VALUES];
  tensor *outputs[MAX_OUTPUTS];  /* set by forward: references that go to the caller */
  tensor *saved[MAX_SAVED];      /* set by forward: references that the node owns (inputs or outputs, retained) */
  int64_t memo[MAX_MEMO];        /* set by forward: whatever else backward wants to know */
  tensor **output_gradients;     /* backward: by output, never NULL, borrowed */
  tensor **input_gradients;      /* backward: set by it, references that go to the tape */
  void *data;                    /* a user-defined operation's own (see autograd/), else NULL */
} op_call;

enum {
  OP_METHOD = 1,      /* also a method of tensors: x:relu() */
  OP_FUNCTIONAL = 2,  /* listed in perilune.nn.functional instead of perilune */
  OP_IN_PLACE = 4     /* has an underscore twin x:relu_(), made generically: result copied into x */
};

typedef struct op {
  const char *name;
  unsigned flags;
  const char *help;              /* "relu(x) -> tensor\n\nmax(x, 0), elementwise.  ..." */
  const parameter *parameters;   /* ends with a NULL name */
  int n_outputs;
  status (*forward)(op_call *call);
  status (*backward)(op_call *call);   /* NULL: not differentiable; the result never requires a gradient */
  const char *const *samples;    /* ends with NULL; see below */
  double (*flops)(const op_call *call);   /* of the forward, for the benchmark; or NULL: memory-bound */
  bool (*repeat)(op_call *call, op_step *s);   /* how to do again what forward has just done (step.h); false or NULL: it
                                            ** cannot be had */
} op;

/* A sample is one legal call in words, read by the generic spec, the reference script and the benchmark:
**   "x=normal(2,3,5,5) weight=normal(4,3,3,3) stride=2 padding=1,2"
** Tensors: DOMAIN(sizes) with DOMAIN one of normal, positive (0.5..2), unit (0.05..0.95), small (-0.9..0.9),
** distinct (a shuffled arithmetic series, no ties), spd (symmetric positive definite), bool,
** index<5> (int64 1..5), uint8, int64; append ":t" for a tensor with its last two dims
** swapped in memory (the sizes stay what the operation sees) and ":lanes" for the lanes order.  A number is a
** Lua number.  Lists are separated by ";": tensors=normal(2,3);normal(4,3).
** Values: numbers, true, false, comma lists, words.  The first sample is also the one that is benchmarked when
** none is marked: a sample that begins with "bench " is only benchmarked, not differentiated. */

/* -- for the authors of operations -- */
/* "NAME: " and the message into the context; returns STATUS_INVALID. */
status op_fail(op_call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Resolves the user's dim (1-based or negative) in values[k] to 0-based; fails with a message. */
status op_dim(op_call *call, int k, int n_dims, int *out);
/* The same for operations that take a tensor of 0 dims for one of 1 dim, as PyTorch's do: dims 1 and -1 become 0. */
status op_dim_or_scalar(op_call *call, int k, int n_dims, int *out);
/* Likewise for a P_DIMS list: marks reduced[d]; an empty list marks all. */
status op_dims(op_call *call, int k, int n_dims, bool reduced[MAX_DIMS]);
/* Input i must be float32 or float64, and (for each later i) of the same dtype as input 0; NULL inputs pass. */
status op_require_float(op_call *call);
/* No CONSTANT input requires a gradient. */
status op_require_constants(op_call *call);
/* Input i has this many dims. */
status op_require_dims(op_call *call, int i, int n_dims);
const char *op_input_name(const op_call *call, int i);
/* call->saved[k] = retain(t). */
void op_save(op_call *call, int k, tensor *t);
/* outputs[k] = a new tensor; STATUS_NO_MEMORY when there is none. */
status op_output(op_call *call, int k, dtype d, int n_dims, const int64_t *shape);
status op_output_like(op_call *call, int k, const tensor *like, dtype d);   /* its shape and memory order */
/* input_gradients[i] = a new contiguous tensor of input i's shape and dtype. */
status op_gradient(op_call *call, int i);
status op_gradient_like(op_call *call, int i, const tensor *like);          /* with `like`'s memory order */
/* Sums g over the dims along which the input was broadcast; sets input_gradients[i] (takes a new reference). */
status op_gradient_unbroadcast(op_call *call, int i, tensor *g);

#endif
