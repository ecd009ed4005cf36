/* npy.h -- NumPy's .npy files. */
#ifndef PERILUNE_NPY_H
#define PERILUNE_NPY_H

#include "../tensor/tensor.h"
#include "stream.h"
#include "writer.h"

/* A new contiguous tensor in *out. */
status npy_read(context *c, stream *s, tensor **out);
status npy_write(writer *w, const tensor *t);

#endif
