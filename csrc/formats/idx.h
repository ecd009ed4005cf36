/* idx.h -- the IDX files of the MNIST family, plain or compressed with gzip. */
#ifndef PERILUNE_IDX_H
#define PERILUNE_IDX_H

#include "../tensor/tensor.h"
#include "stream.h"

/* A new tensor in *out; uint8 stays, the other integers become int64, floats stay. */
status idx_read(context *c, stream *s, tensor **out);

#endif
