/* elements.h -- how files spell numbers, and how those become ours.
**
** Ours are bool, uint8, int64, float32 and float64; what a file has besides is converted to the nearest that holds
** every value: the small integers to int64, float16 and bfloat16 to float32.  There is none for uint64. */
#ifndef PERILUNE_ELEMENTS_H
#define PERILUNE_ELEMENTS_H

#include "../tensor/tensor.h"
#include "stream.h"
#include "writer.h"

typedef enum element {
  ELEMENT_BOOL, ELEMENT_UINT8, ELEMENT_INT8, ELEMENT_INT16, ELEMENT_UINT16, ELEMENT_INT32, ELEMENT_UINT32,
  ELEMENT_INT64, ELEMENT_FLOAT16, ELEMENT_BFLOAT16, ELEMENT_FLOAT32, ELEMENT_FLOAT64
} element;

size_t element_size(element e);      /* bytes in a file */
dtype element_dtype(element e);      /* what it becomes */
element element_of(dtype d);         /* what we write */

/* n elements of the file's spelling; from need not be aligned.  big_endian: the file's byte order. */
void elements_decode(void *to, const unsigned char *from, int64_t n, element e, bool big_endian);

/* The next numel elements of the stream into t, which is contiguous and of element_dtype(e). */
status elements_read(context *c, stream *s, element e, bool big_endian, tensor *t);
/* t in row-major order and little-endian, whatever its strides. */
status elements_write(writer *w, const tensor *t);

/* Bytes of a tensor of this shape in a file; false when the size does not fit into 63 bits. */
bool elements_bytes(element e, int n_dims, const int64_t *shape, uint64_t *out);

#endif
