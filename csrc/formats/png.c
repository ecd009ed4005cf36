/* png.c -- PNG pictures, by libpng.
**
** libpng reports an error by a longjmp to the setjmp of whoever called it.  So everything that must be let go of
** lies in a `png_job` that the caller of setjmp got by pointer, and no function here that libpng can jump out
** of holds anything of its own.  Its memory is the context's, its messages go to the context, never to stderr.
**
** A picture's pixels are allocated when they are believable.  Deflate packs at most 1032 bytes into one, which bounds
** what a file can hold; and a picture of more than PLAUSIBLE_RATIO times its file's length is first read into
** one row over and over, to see whether its pixels are there. */
#include "png.h"

#include <png.h>
#include <setjmp.h>
#include <string.h>

enum { MAX_SIDE = 1000000, MAX_DEFLATE_RATIO = 1032, PLAUSIBLE_RATIO = 16, PLAUSIBLE_BYTES = 1 << 20 };

typedef enum reading_stage {
  STAGE_TRY,        /* read, but stop in front of the pixels when there are implausibly many */
  STAGE_COUNT,      /* read every pixel, keep none */
  STAGE_READ
} reading_stage;

typedef struct png_job {
  context *context;
  stream *stream;               /* reading */
  writer *writer;               /* writing */
  status code;                  /* of a failure below libpng; the message is there, too */
  const char *name;
  png_structp png;
  png_infop info;
  reading_stage stage;
  bool implausible;             /* the verdict of STAGE_TRY */
  tensor *picture;
  png_bytep rows;               /* all of them, since an interlaced picture comes in seven passes */
  size_t rows_bytes;
} png_job;

/* -- what libpng calls -- */

typedef struct png_block { size_t n_bytes; size_t padding; } png_block;      /* in front of what it asks for */

static png_voidp get_memory(png_structp png, png_alloc_size_t n_bytes) {
  png_job *job = png_get_mem_ptr(png);
  if (n_bytes > SIZE_MAX / 2) return NULL;
  png_block *block = context_get(job->context, sizeof *block + n_bytes);
  if (block == NULL) {
    job->code = STATUS_NO_MEMORY;
    return NULL;
  }
  block->n_bytes = sizeof *block + n_bytes;
  return block + 1;
}

static void put_memory(png_structp png, png_voidp address) {
  png_job *job = png_get_mem_ptr(png);
  if (address == NULL) return;
  png_block *block = (png_block *)address - 1;
  context_put(job->context, block, block->n_bytes);
}

static void on_error(png_structp png, png_const_charp message) {
  png_job *job = png_get_error_ptr(png);
  if (job->code == STATUS_OK)
    job->code = context_fail(job->context, STATUS_FORMAT, "%.300s: bad PNG: %s", job->name, message);
  png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

static void read_bytes(png_structp png, png_bytep to, size_t n_bytes) {
  png_job *job = png_get_io_ptr(png);
  job->code = stream_read(job->context, job->stream, to, n_bytes);
  if (job->code != STATUS_OK) png_error(png, "read failed");
}

static void write_bytes(png_structp png, png_bytep from, size_t n_bytes) {
  png_job *job = png_get_io_ptr(png);
  job->code = writer_put(job->writer, from, n_bytes);
  if (job->code != STATUS_OK) png_error(png, "write failed");
}

static void flush_bytes(png_structp png) { (void)png; }

/* -- reading -- */

static void end_reading(png_job *job) {
  png_destroy_read_struct(&job->png, &job->info, NULL);
  context_put(job->context, job->rows, job->rows_bytes);
  job->rows = NULL;
}

static void check_signature(png_job *job) {
  unsigned char signature[8];
  read_bytes(job->png, signature, sizeof signature);
  if (png_sig_cmp(signature, 0, sizeof signature) == 0) {
    png_set_sig_bytes(job->png, sizeof signature);
    return;
  }
  job->code = context_fail(job->context, STATUS_FORMAT, "%.300s is not a PNG file", job->name);
  png_error(job->png, "signature");
}

static bool has_palette(const png_job *job) {
  return png_get_color_type(job->png, job->info) == PNG_COLOR_TYPE_PALETTE;
}

/* Whatever the file has, to gray, gray + alpha, RGB or RGBA of 8 or 16 bits; but where it has a palette, to indices of
** 8 bits: libpng would take what lies outside of the palette for black. */
static void ask_for_whole_samples(png_job *job) {
  int type = png_get_color_type(job->png, job->info);
  if (type == PNG_COLOR_TYPE_PALETTE) {
    png_set_packing(job->png);
    return;
  }
  if (type == PNG_COLOR_TYPE_GRAY && png_get_bit_depth(job->png, job->info) < 8)
    png_set_expand_gray_1_2_4_to_8(job->png);
  if (png_get_valid(job->png, job->info, PNG_INFO_tRNS)) png_set_tRNS_to_alpha(job->png);
  if (png_get_bit_depth(job->png, job->info) == 16) png_set_swap(job->png);
}

static void check_size(png_job *job) {
  uint64_t height = png_get_image_height(job->png, job->info);
  uint64_t packed_row = (uint64_t)png_get_rowbytes(job->png, job->info);      /* as it is in the file */
  uint64_t limit = job->stream->length * MAX_DEFLATE_RATIO;
  if (packed_row * height <= limit) return;
  job->code = context_fail(job->context, STATUS_FORMAT,
                           "%.300s: its header says %u x %u pixels, more than a file of %llu bytes can hold", job->name,
                           png_get_image_width(job->png, job->info), png_get_image_height(job->png, job->info),
                           (unsigned long long)job->stream->length);
  png_error(job->png, "size");
}

static void allocate_picture(png_job *job, int64_t height, size_t row_bytes) {
  int n_channels = png_get_channels(job->png, job->info);
  if (has_palette(job)) n_channels = png_get_valid(job->png, job->info, PNG_INFO_tRNS) ? 4 : 3;
  int64_t shape[3] = {n_channels, height, png_get_image_width(job->png, job->info)};
  dtype kind = png_get_bit_depth(job->png, job->info) == 16 ? DTYPE_INT64 : DTYPE_UINT8;
  bool keep = job->stage != STAGE_COUNT;
  job->rows_bytes = keep ? row_bytes * (size_t)height : row_bytes;
  job->rows = context_get(job->context, job->rows_bytes);
  if (job->rows != NULL && keep) job->picture = tensor_new(job->context, kind, 3, shape);
  if (job->rows != NULL && (!keep || job->picture != NULL)) return;
  job->code = STATUS_NO_MEMORY;
  png_error(job->png, "no memory");
}

/* (H, W, C) as libpng has it to (C, H, W). */
static void separate_channels(png_job *job) {
  const tensor *t = job->picture;
  int64_t n_channels = t->shape[0], n_pixels = t->shape[1] * t->shape[2];
  for (int64_t channel = 0; channel < n_channels; channel++) {
    const png_byte *from = job->rows + channel * (t->dtype == DTYPE_INT64 ? 2 : 1);
    uint8_t *narrow = (uint8_t *)tensor_data(t) + channel * n_pixels;
    int64_t *wide = (int64_t *)tensor_data(t) + channel * n_pixels;
    for (int64_t pixel = 0; pixel < n_pixels; pixel++) {
      if (t->dtype == DTYPE_UINT8) narrow[pixel] = from[pixel * n_channels];
      else {
        uint16_t sample;
        memcpy(&sample, from + 2 * pixel * n_channels, sizeof sample);
        wide[pixel] = sample;
      }
    }
  }
}

/* Indices (H, W) to (C, H, W). */
static void look_up_colors(png_job *job) {
  const tensor *t = job->picture;
  int64_t n_pixels = t->shape[1] * t->shape[2];
  png_colorp colors;
  png_bytep alphas = NULL;
  int n_colors = 0, n_alphas = 0;
  png_get_PLTE(job->png, job->info, &colors, &n_colors);
  png_get_tRNS(job->png, job->info, &alphas, &n_alphas, NULL);
  uint8_t *to = tensor_uint8(t);
  for (int64_t pixel = 0; pixel < n_pixels; pixel++) {
    int index = job->rows[pixel];
    if (index >= n_colors) png_error(job->png, "a pixel has a color that is not in the palette");
    to[pixel] = colors[index].red;
    to[n_pixels + pixel] = colors[index].green;
    to[2 * n_pixels + pixel] = colors[index].blue;
    if (t->shape[0] == 4) to[3 * n_pixels + pixel] = index < n_alphas ? alphas[index] : UINT8_MAX;
  }
}

/* May be left by a longjmp at any call. */
static void read_picture(png_job *job) {
  check_signature(job);
  png_read_info(job->png, job->info);
  check_size(job);
  ask_for_whole_samples(job);
  int n_passes = png_set_interlace_handling(job->png);
  png_read_update_info(job->png, job->info);
  int64_t height = png_get_image_height(job->png, job->info);
  size_t row_bytes = png_get_rowbytes(job->png, job->info), n_bytes = row_bytes * (size_t)height;
  job->implausible = n_bytes > PLAUSIBLE_BYTES && n_bytes / PLAUSIBLE_RATIO > job->stream->length;
  if (job->implausible && job->stage == STAGE_TRY) return;
  allocate_picture(job, height, row_bytes);
  size_t step = job->stage == STAGE_COUNT ? 0 : row_bytes;
  for (int pass = 0; pass < n_passes; pass++)
    for (int64_t row = 0; row < height; row++) png_read_row(job->png, job->rows + (size_t)row * step, NULL);
  png_read_end(job->png, NULL);
  if (job->stage != STAGE_COUNT) (has_palette(job) ? look_up_colors : separate_channels)(job);
}

static status start_reading(png_job *job) {
  job->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, job, on_error, on_warning, job, get_memory, put_memory);
  if (job->png != NULL) job->info = png_create_info_struct(job->png);
  return job->info != NULL ? STATUS_OK : context_no_memory(job->context, 1024);
}

static status run_reading(png_job *job) {
  if (setjmp(png_jmpbuf(job->png)) != 0) return job->code == STATUS_OK ? STATUS_FORMAT : job->code;
  png_set_read_fn(job->png, job, read_bytes);
  png_set_user_limits(job->png, MAX_SIDE, MAX_SIDE);
  png_set_keep_unknown_chunks(job->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);      /* texts, profiles, times, ... */
  png_set_crc_action(job->png, PNG_CRC_DEFAULT, PNG_CRC_WARN_DISCARD);
  read_picture(job);
  return STATUS_OK;
}

/* Reads from the beginning; *implausible is the verdict of STAGE_TRY. */
static status read_stage(context *c, stream *s, reading_stage stage, tensor **out, bool *implausible) {
  png_job job = {.context = c, .stream = s, .name = s->name, .stage = stage};
  s->offset = 0;
  status code = start_reading(&job);
  if (code == STATUS_OK) code = run_reading(&job);
  end_reading(&job);
  if (code == STATUS_OK) *out = job.picture;
  else tensor_release(job.picture);
  *implausible = job.implausible;
  return code;
}

status png_read_tensor(context *c, stream *s, tensor **out) {
  bool implausible;
  *out = NULL;
  status code = read_stage(c, s, STAGE_TRY, out, &implausible);
  if (code != STATUS_OK || !implausible) return code;
  code = read_stage(c, s, STAGE_COUNT, out, &implausible);
  return code == STATUS_OK ? read_stage(c, s, STAGE_READ, out, &implausible) : code;
}

/* -- writing -- */

typedef struct picture_shape {
  int64_t n_channels, height, width;
  int64_t channel_stride, row_stride, column_stride;
} picture_shape;

static status picture_shape_of(context *c, const tensor *t, picture_shape *shape) {
  const int64_t *size = t->shape, *stride = t->stride;
  if (t->n_dims != 2 && t->n_dims != 3)
    return context_fail(c, STATUS_INVALID, "image.save: the picture is %s, not (H, W) or (C, H, W)",
                        tensor_shape_text(t).text);
  bool flat = t->n_dims == 2;
  *shape = (picture_shape){flat ? 1 : size[0], size[flat ? 0 : 1], size[flat ? 1 : 2],
                           flat ? 0 : stride[0], stride[flat ? 0 : 1], stride[flat ? 1 : 2]};
  if (shape->n_channels < 1 || shape->n_channels > 4)
    return context_fail(c, STATUS_INVALID, "image.save: the picture is %s, but the channels must be 1, 2, 3 or 4",
                        tensor_shape_text(t).text);
  if (shape->height < 1 || shape->width < 1 || shape->height > MAX_SIDE || shape->width > MAX_SIDE)
    return context_fail(c, STATUS_INVALID, "image.save: the picture is %s: height and width must be 1 to %d",
                        tensor_shape_text(t).text, MAX_SIDE);
  return STATUS_OK;
}

/* The sample at an element position, scaled to 0..largest; false: it has no such value. */
static bool sample_at(const tensor *t, int64_t position, int64_t largest, int64_t *out) {
  const void *data = tensor_data(t);
  double value;
  switch (t->dtype) {
    case DTYPE_BOOL: *out = ((const uint8_t *)data)[position] ? largest : 0; return true;
    case DTYPE_UINT8: *out = ((const uint8_t *)data)[position] * (largest == 255 ? 1 : 257); return true;
    case DTYPE_INT64:
      *out = ((const int64_t *)data)[position];
      return *out >= 0 && *out <= largest;
    case DTYPE_FLOAT32: value = (double)((const float *)data)[position]; break;
    default: value = ((const double *)data)[position]; break;
  }
  if (value != value) return false;
  value = value < 0 ? 0 : value > 1 ? 1 : value;
  *out = (int64_t)(value * (double)largest + 0.5);
  return true;
}

/* All samples as the file wants them: (H, W, C), 16 bits with the high byte first. */
static status interleave(context *c, png_byte *to, const tensor *t, const picture_shape *shape, int bit_depth) {
  int64_t sample, largest = bit_depth == 16 ? 65535 : 255;
  for (int64_t row = 0; row < shape->height; row++)
    for (int64_t column = 0; column < shape->width; column++)
      for (int64_t channel = 0; channel < shape->n_channels; channel++) {
        int64_t position = channel * shape->channel_stride + row * shape->row_stride + column * shape->column_stride;
        if (!sample_at(t, position, largest, &sample))
          return context_fail(c, STATUS_INVALID, "image.save: the pixel at row %lld, column %lld is %s",
                              (long long)row + 1, (long long)column + 1,
                              dtype_is_float(t->dtype) ? "NaN" : "outside of the range of the bit depth");
        if (bit_depth == 16) *to++ = (png_byte)(sample >> 8);
        *to++ = (png_byte)(sample & 255);
      }
  return STATUS_OK;
}

static status start_writing(png_job *job) {
  job->png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, job, on_error, on_warning, job, get_memory, put_memory);
  if (job->png != NULL) job->info = png_create_info_struct(job->png);
  return job->info != NULL ? STATUS_OK : context_no_memory(job->context, 1024);
}

static status run_writing(png_job *job, const picture_shape *shape, int bit_depth) {
  static const int color_types[] = {0, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                                    PNG_COLOR_TYPE_RGB_ALPHA};
  size_t row_bytes = (size_t)(shape->width * shape->n_channels * (bit_depth / 8));
  if (setjmp(png_jmpbuf(job->png)) != 0) return job->code == STATUS_OK ? STATUS_FORMAT : job->code;
  png_set_write_fn(job->png, job, write_bytes, flush_bytes);
  png_set_user_limits(job->png, MAX_SIDE, MAX_SIDE);
  png_set_IHDR(job->png, job->info, (png_uint_32)shape->width, (png_uint_32)shape->height, bit_depth,
               color_types[shape->n_channels], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  png_write_info(job->png, job->info);
  for (int64_t row = 0; row < shape->height; row++) png_write_row(job->png, job->rows + (size_t)row * row_bytes);
  png_write_end(job->png, NULL);
  return STATUS_OK;
}

status png_write_tensor(writer *w, const tensor *picture, int bit_depth) {
  png_job job = {.context = w->context, .writer = w, .name = w->path ? w->path : "data"};
  picture_shape shape;
  status code = picture_shape_of(w->context, picture, &shape);
  if (code != STATUS_OK) return code;
  job.rows_bytes = (size_t)(shape.height * shape.width * shape.n_channels * (bit_depth / 8));
  job.rows = context_get(w->context, job.rows_bytes);
  if (job.rows == NULL) return STATUS_NO_MEMORY;
  code = interleave(w->context, job.rows, picture, &shape, bit_depth);
  if (code == STATUS_OK) code = start_writing(&job);
  if (code == STATUS_OK) code = run_writing(&job, &shape, bit_depth);
  png_destroy_write_struct(&job.png, &job.info);
  context_put(w->context, job.rows, job.rows_bytes);
  return code;
}
