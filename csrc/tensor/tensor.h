/* tensor.h -- what a tensor is: a dtype, a shape, strides, and a place in a refcounted storage.
**
** Several tensors may look at one storage (views).  Strides and offset count elements.  A 0-dim tensor has
** n_dims = 0 and one element; a tensor with a dimension of size 0 is empty and legal.
**
** Memory orders that operations make and recognise:
**   contiguous        the last dimension has stride 1 (what users expect of reshape, data files, ...)
**   lanes             samples innermost: shape (N, C, H, W), strides (1, H*W*P, W*P, P); shape (N, K), strides
**                     (1, P).  P = lanes_padded(N).  An ordinary strided tensor that lets the samples of a
**                     batch be the lanes of the vector unit: no channel count, stride or padding wastes one.
**                     Rows begin 64-byte aligned.  What lies between N and P is undefined, and not the tensor's.
**
** Everything is refcounted: functions that return a tensor return a reference that the caller releases.
** Functions that return NULL or a status other than STATUS_OK have left their message in the context. */
#ifndef PERILUNE_TENSOR_H
#define PERILUNE_TENSOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "context.h"

enum { MAX_DIMS = 8 };

/* In the order of promotion: the result of mixed operands has the larger one. */
typedef enum dtype { DTYPE_BOOL, DTYPE_UINT8, DTYPE_INT64, DTYPE_FLOAT32, DTYPE_FLOAT64 } dtype;
enum { N_DTYPES = 5 };

size_t dtype_size(dtype d);              /* bytes of an element; bool is one byte, 0 or 1 */
const char *dtype_name(dtype d);         /* "float32" */
bool dtype_from_name(const char *name, dtype *out);
static inline bool dtype_is_float(dtype d) { return d >= DTYPE_FLOAT32; }

typedef struct storage {
  atomic_int references;                 /* tensors that use the data */
  atomic_int watchers;                   /* who wants to read `version`; the data's users count as one */
  atomic_uint version;                   /* raised by every in-place write: stale saved tensors are noticed */
  size_t n_bytes;
  void *data;                            /* 64-byte aligned, n_bytes long */
  _Atomic(struct derived *) derived;     /* what an operation keeps beside the data, or NULL; see derived.h */
  allocator *memory;                     /* of all of these */
} storage;

/* What the autograd layer hangs on a tensor; this layer knows only how to let go of it. */
typedef struct history {
  void (*release)(struct history *h);
} history;

typedef struct tensor {
  atomic_int references;
  dtype dtype;
  int n_dims;
  bool requires_grad;     /* a leaf that wants a gradient, or the result of a recorded operation */
  bool is_view;           /* looks at another tensor's elements */
  bool is_number;         /* a Lua number that became a 0-dim operand: promotes weakly */
  int64_t shape[MAX_DIMS];
  int64_t stride[MAX_DIMS];
  int64_t offset;
  storage *storage;
  allocator *memory;      /* of the header itself */
  history *history;       /* or NULL */
} tensor;

/* -- making (contents undefined unless said) -- */
tensor *tensor_new(context *c, dtype d, int n_dims, const int64_t *shape);              /* contiguous */
tensor *tensor_new_lanes(context *c, dtype d, int n_dims, const int64_t *shape);        /* lanes; n_dims >= 2 */
tensor *tensor_new_like(context *c, const tensor *t, dtype d);     /* t's shape and memory order */
tensor *tensor_zeros(context *c, dtype d, int n_dims, const int64_t *shape);
tensor *tensor_zeros_like(context *c, const tensor *t, dtype d);
tensor *tensor_number(context *c, dtype d, double value);          /* 0-dim */
tensor *tensor_integer(context *c, dtype d, int64_t value);        /* 0-dim; exact where d is int64 */
tensor *tensor_view(context *c, tensor *t, int n_dims, const int64_t *shape, const int64_t *stride,
                    int64_t offset);                               /* same storage, no history */
tensor *tensor_alias(context *c, tensor *t);                       /* the same view again, no history */
void tensor_exchange_memory(tensor *a, tensor *b);                 /* dtype, strides, storage; they have one shape */
tensor *tensor_retain(tensor *t);                                  /* returns t; t may be NULL */
void tensor_release(tensor *t);                                    /* t may be NULL */

storage *storage_watch(storage *s);                                /* keeps the struct, not the data; returns s */
void storage_unwatch(storage *s);                                  /* s may be NULL */

/* -- asking -- */
int64_t tensor_numel(const tensor *t);
bool tensor_is_contiguous(const tensor *t);
bool tensor_is_lanes(const tensor *t);           /* the lanes order as tensor_new_lanes makes it */
bool tensor_same_shape(const tensor *a, const tensor *b);
bool tensor_owns_alone(const tensor *t);         /* nobody else can see its elements: may be overwritten */
static inline void *tensor_data(const tensor *t) {
  return (char *)t->storage->data + (size_t)t->offset * dtype_size(t->dtype);
}
static inline float *tensor_float32(const tensor *t) { return (float *)tensor_data(t); }
static inline double *tensor_float64(const tensor *t) { return (double *)tensor_data(t); }
static inline int64_t *tensor_int64(const tensor *t) { return (int64_t *)tensor_data(t); }
static inline uint8_t *tensor_uint8(const tensor *t) { return (uint8_t *)tensor_data(t); }

int64_t lanes_padded(int64_t n);                 /* 8 for n <= 8, else n rounded up to 16 */
/* Product of n sizes; false when it does not fit, so that no size is ever computed wrapped. */
bool shape_numel(int n_dims, const int64_t *shape, int64_t *out);
bool tensor_is_expanded(const tensor *t);        /* two indices are the same element: a dim has stride 0 */
void shape_contiguous_strides(int n_dims, const int64_t *shape, int64_t *stride);
/* NumPy's rule.  false when the shapes do not fit together. */
bool shape_broadcast(int n_a, const int64_t *a, int n_b, const int64_t *b, int *n_out, int64_t *out);

typedef struct shape_text { char text[160]; } shape_text;
shape_text tensor_shape_text(const tensor *t);   /* "(32, 784)": tensor_shape_text(x).text in a message */
shape_text shape_to_text(int n_dims, const int64_t *shape);

/* -- moving data -- */
/* Broadcasts and converts; refuses a target that repeats elements (expand). */
status tensor_copy(context *c, tensor *to, const tensor *from);
status tensor_fill(context *c, tensor *t, double value);
tensor *tensor_contiguous(context *c, tensor *t);                    /* t itself, retained, if it is */
tensor *tensor_lanes(context *c, tensor *t);                         /* likewise, for the lanes order */
tensor *tensor_to(context *c, tensor *t, dtype d);                   /* likewise, for the dtype */
tensor *tensor_clone(context *c, const tensor *t);
/* Fails with "NAME: 1000 does not fit into uint8" where the number has no place in the dtype: it is outside of its range,
** or NaN or infinite for an integer.  What lies behind its point may be lost. */
status dtype_check_integer(context *c, const char *name, dtype d, int64_t value);
status dtype_check_number(context *c, const char *name, dtype d, double value);
int64_t double_to_integer(double x, int64_t low, int64_t high);      /* truncated, kept within; NaN gives 0 */
double tensor_get(const tensor *t, const int64_t *index);            /* 0-based; one element as a number */

#endif
