/* gather_batch.c -- rows of a data set, picked by number, become a batch.
**
** The lanes order asks for a transposition: row b of the source becomes lane b of every element's row of lanes.
** uint8 goes through tiles of 16 rows x 16 elements, which four rounds of byte interleaving transpose in registers;
** each of the 16 resulting vectors holds one element of 16 samples and becomes 64 bytes of floats.  A task takes 16
** rows from end to end: memory gives neighbouring lines sooner than as many lines of other rows, which a walk over all
** lanes for some elements would ask for (two Zen 4 cores, 256 of 60,000 images of 784: 42 instead of 87 us).
**
** Letters: B rows of the batch, P lanes (B padded), M elements of a row. */
#include "gather_batch.h"

#include <string.h>

#include "../tensor/parallel.h"

enum { TILE = 16, LINE = 64, CHUNK = 64 };   /* LINE: bytes; CHUNK: elements of float32 rows that one task lays out */

typedef uint8_t bytes16 __attribute__((vector_size(16)));

typedef struct gather_job {
  const void *source;
  const int64_t *rows;    /* (P rounded up to 16) 0-based; those past B repeat the last one */
  void *out;
  int64_t batch, lanes, n_elements;
  float scale;
  size_t item_bytes;
} gather_job;

static inline bytes16 interleave_low(bytes16 a, bytes16 b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

static inline bytes16 interleave_high(bytes16 a, bytes16 b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/* One round: rows i and i + 8 interleave into rows 2i and 2i + 1.  Four rounds transpose 16 x 16. */
static inline void interleave_round(bytes16 to[TILE], const bytes16 from[TILE]) {
  for (int i = 0; i < TILE / 2; i++) {
    to[2 * i] = interleave_low(from[i], from[i + TILE / 2]);
    to[2 * i + 1] = interleave_high(from[i], from[i + TILE / 2]);
  }
}

static inline void transpose_tile(bytes16 tile[TILE]) {
  bytes16 other[TILE];
  interleave_round(other, tile);
  interleave_round(tile, other);
  interleave_round(other, tile);
  interleave_round(tile, other);
}

/* A turned tile as floats, elements `stride` apart.  It goes through memory, which the empty asm enforces: out of
** registers gcc converts byte by byte. */
static inline void store_tile(float *restrict out, int64_t stride, const bytes16 tile[TILE], float scale) {
  uint8_t bytes[TILE * TILE] __attribute__((aligned(64)));
  memcpy(bytes, tile, sizeof bytes);
  __asm__ volatile("" : : "r"(bytes) : "memory");
  for (int i = 0; i < TILE; i++)
    for (int l = 0; l < TILE; l++) out[i * stride + l] = scale * (float)bytes[i * TILE + l];
}

/* The same for a tile that reaches over the edge. */
static inline void store_part(float *out, int64_t stride, const bytes16 tile[TILE], float scale, int64_t n_elements,
                              int64_t n_lanes) {
  float values[TILE * TILE] __attribute__((aligned(64)));
  store_tile(values, TILE, tile, scale);
  for (int64_t i = 0; i < n_elements; i++)
    memcpy(out + i * stride, values + i * TILE, (size_t)n_lanes * sizeof *out);
}

/* tile[l] = `n` elements of row l of the source from element m on, then zeros. */
static inline void load_tile(bytes16 tile[TILE], const gather_job *job, int64_t lane, int64_t m, int64_t n) {
  const uint8_t *source = job->source;
  for (int64_t l = 0; l < TILE; l++) {
    const uint8_t *row = source + job->rows[lane + l] * job->n_elements + m;
    if (n == TILE) {
      memcpy(&tile[l], row, sizeof tile[l]);
    } else {
      uint8_t part[TILE] = { 0 };
      memcpy(part, row, (size_t)n);
      memcpy(&tile[l], part, sizeof part);
    }
  }
}

/* Random rows are on no list of the hardware's: while a line of 16 rows is laid out, that of the next 16 is fetched. */
static inline void fetch_ahead(const gather_job *job, int64_t lane, int64_t m) {
  if (lane + TILE >= job->lanes) return;
  const int64_t *rows = job->rows + lane + TILE + m % LINE / TILE * (TILE * TILE / LINE);
  const uint8_t *source = job->source;
  for (int l = 0; l < TILE * TILE / LINE; l++)
    __builtin_prefetch(source + rows[l] * job->n_elements + m / LINE * LINE);
}

/* Blocks [begin, end) of 16 lanes.  The last tile of a row that is no multiple of 16 long is read byte by byte. */
CLONES static void lay_out_uint8(const gather_job *job, int64_t begin, int64_t end) {
  for (int64_t lane = begin * TILE; lane < end * TILE; lane += TILE) {
    int64_t n_lanes = job->lanes - lane < TILE ? job->lanes - lane : TILE;
    for (int64_t m = 0; m < job->n_elements; m += TILE) {
      int64_t n_elements = job->n_elements - m < TILE ? job->n_elements - m : TILE;
      float *out = (float *)job->out + m * job->lanes + lane;
      bytes16 tile[TILE];
      fetch_ahead(job, lane, m);
      load_tile(tile, job, lane, m, n_elements);
      transpose_tile(tile);
      if (n_lanes == TILE && n_elements == TILE) store_tile(out, job->lanes, tile, job->scale);
      else store_part(out, job->lanes, tile, job->scale, n_elements, n_lanes);
    }
  }
}

CLONES static void lay_out_float32(const gather_job *job, int64_t begin, int64_t end) {
  const float *source = job->source;
  float *out = job->out;
  for (int64_t lane = 0; lane < job->lanes; lane++) {
    const float *row = source + job->rows[lane] * job->n_elements;
    for (int64_t m = begin; m < end; m++) out[m * job->lanes + lane] = job->scale * row[m];
  }
}

CLONES static void scale_uint8(float *out, const uint8_t *row, int64_t n, float scale) {
  for (int64_t i = 0; i < n; i++) out[i] = scale * (float)row[i];
}

CLONES static void scale_float32(float *out, const float *row, int64_t n, float scale) {
  for (int64_t i = 0; i < n; i++) out[i] = scale * row[i];
}

static void lay_out_uint8_body(void *argument, int64_t begin, int64_t end) { lay_out_uint8(argument, begin, end); }

static void lay_out_float32_body(void *argument, int64_t begin, int64_t end) { lay_out_float32(argument, begin, end); }

static void scale_uint8_body(void *argument, int64_t begin, int64_t end) {
  const gather_job *job = argument;
  for (int64_t b = begin; b < end; b++)
    scale_uint8((float *)job->out + b * job->n_elements, (const uint8_t *)job->source + job->rows[b] * job->n_elements,
                job->n_elements, job->scale);
}

static void scale_float32_body(void *argument, int64_t begin, int64_t end) {
  const gather_job *job = argument;
  for (int64_t b = begin; b < end; b++)
    scale_float32((float *)job->out + b * job->n_elements, (const float *)job->source + job->rows[b] * job->n_elements,
                  job->n_elements, job->scale);
}

static void copy_body(void *argument, int64_t begin, int64_t end) {
  const gather_job *job = argument;
  size_t row_bytes = (size_t)job->n_elements * job->item_bytes;
  for (int64_t b = begin; b < end; b++)
    memcpy((char *)job->out + (size_t)b * row_bytes, (const char *)job->source + (size_t)job->rows[b] * row_bytes,
           row_bytes);
}

/* rows[0 .. n_rows) from the 1-based index; those past the batch repeat its last. */
static status read_rows(context *c, int64_t *rows, int64_t n_rows, const tensor *source, const tensor *index) {
  const int64_t *numbers = tensor_int64(index);
  int64_t batch = index->shape[0];
  for (int64_t b = 0; b < batch; b++) {
    int64_t number = numbers[b * index->stride[0]];
    if (number < 1 || number > source->shape[0])
      return context_fail(c, STATUS_INVALID, "gather_batch: index %lld is %lld but source has %lld rows",
                          (long long)(b + 1), (long long)number, (long long)source->shape[0]);
    rows[b] = number - 1;
  }
  for (int64_t b = batch; b < n_rows; b++) rows[b] = rows[batch - 1];
  return STATUS_OK;
}

static bool rows_are_contiguous(const tensor *t) {
  int64_t expected[MAX_DIMS];
  shape_contiguous_strides(t->n_dims, t->shape, expected);
  for (int d = 0; d < t->n_dims; d++)
    if (t->shape[d] > 1 && t->stride[d] != expected[d]) return false;
  return true;
}

static status check_arguments(context *c, const tensor *source, const tensor *index, bool scaled, bool lanes) {
  if (source->n_dims < 1 || !rows_are_contiguous(source))
    return context_fail(c, STATUS_INVALID, "gather_batch: source must be contiguous and have a first dim, it is %s",
                        tensor_shape_text(source).text);
  if (index->n_dims != 1 || index->dtype != DTYPE_INT64)
    return context_fail(c, STATUS_INVALID, "gather_batch: index must be (B) int64 but is %s %s",
                        tensor_shape_text(index).text, dtype_name(index->dtype));
  if (scaled && source->dtype != DTYPE_UINT8 && source->dtype != DTYPE_FLOAT32)
    return context_fail(c, STATUS_INVALID, "gather_batch: only uint8 and float32 can be scaled, source is %s",
                        dtype_name(source->dtype));
  if (lanes && (!scaled || source->n_dims < 2))
    return context_fail(c, STATUS_INVALID, "gather_batch: lanes needs a scale and 2 dims, source is %s",
                        tensor_shape_text(source).text);
  return STATUS_OK;
}

static void run(const context *c, gather_job *job, dtype d, bool scaled, bool lanes) {
  if (lanes && d == DTYPE_UINT8) {
    parallel_for(c, (job->lanes + TILE - 1) / TILE, 1 + 512 / (job->n_elements + 1), lay_out_uint8_body, job);
    return;
  }
  if (lanes) {
    parallel_for(c, job->n_elements, CHUNK, lay_out_float32_body, job);
    return;
  }
  int64_t grain = job->n_elements > 0 ? 32768 / job->n_elements + 1 : job->batch;
  parallel_body body = !scaled ? copy_body : d == DTYPE_UINT8 ? scale_uint8_body : scale_float32_body;
  parallel_for(c, job->batch, grain, body, job);
}

status gather_batch(context *c, const tensor *source, const tensor *index, bool scaled, double scale, bool lanes,
                    tensor **out) {
  status code = check_arguments(c, source, index, scaled, lanes);
  if (code != STATUS_OK) return code;
  int64_t shape[MAX_DIMS];
  memcpy(shape, source->shape, sizeof shape);
  int64_t batch = shape[0] = index->shape[0];
  dtype d = scaled ? DTYPE_FLOAT32 : source->dtype;
  tensor *result = lanes ? tensor_new_lanes(c, d, source->n_dims, shape) : tensor_new(c, d, source->n_dims, shape);
  if (!result) return STATUS_NO_MEMORY;
  if (batch > 0 && tensor_numel(result) > 0) {
    int64_t n_lanes = lanes ? lanes_padded(batch) : batch, n_rows = (n_lanes + TILE - 1) / TILE * TILE;
    size_t n_bytes = (size_t)n_rows * sizeof(int64_t);
    int64_t *rows = context_get(c, n_bytes);
    code = rows ? read_rows(c, rows, n_rows, source, index) : STATUS_NO_MEMORY;
    if (code == STATUS_OK) {
      gather_job job = { .source = tensor_data(source), .rows = rows, .out = tensor_data(result), .batch = batch,
                         .lanes = n_lanes, .n_elements = tensor_numel(result) / batch, .scale = (float)scale,
                         .item_bytes = dtype_size(source->dtype) };
      run(c, &job, source->dtype, scaled, lanes);
    }
    context_put(c, rows, n_bytes);
  }
  if (code != STATUS_OK) {
    tensor_release(result);
    return code;
  }
  *out = result;
  return STATUS_OK;
}
