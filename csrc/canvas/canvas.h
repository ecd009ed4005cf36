/* canvas.h -- a drawing surface of pixels, by Cairo, for the plots.
**
** Coordinates and sizes are points, from the upper left corner; `scale` pixels make a point.  A colour is 0xRRGGBBAA,
** and CANVAS_NONE, which has no alpha, draws nothing.
** Drawing cannot fail: Cairo remembers the first thing that went wrong, and canvas_error tells it.
** Knows nothing of tensors, files and Lua. */
#ifndef PERILUNE_CANVAS_H
#define PERILUNE_CANVAS_H

#include <cairo.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t canvas_color;
#define CANVAS_NONE ((canvas_color)0)

enum { CANVAS_MAX_PIXELS = 32767 };       /* Cairo's, for each side */

typedef struct canvas {
  cairo_surface_t *surface;               /* NULL: closed */
  cairo_t *cairo;
} canvas;

typedef struct canvas_style {
  canvas_color fill, stroke;
  double width;                           /* of the stroke */
  double dash[4];                         /* on, off, on, off */
  int n_dashes;                           /* 0: a solid line */
} canvas_style;

typedef struct canvas_font {
  const char *family;                     /* what fontconfig makes of it; without any font Cairo has one of its own */
  double size;
  bool bold;
} canvas_font;

typedef struct canvas_extents { double advance, ascent, descent; } canvas_extents;

void canvas_open(canvas *k, int width_pixels, int height_pixels, double scale);   /* white */
void canvas_close(canvas *k);                                                     /* also twice */
const char *canvas_error(const canvas *k);                                        /* NULL: all is well */

/* -- a path, and then what is done with it -- */
void canvas_line(canvas *k, size_t n, const double *points, bool closed);         /* (n, 2): x, y */
void canvas_rectangle(canvas *k, double x, double y, double width, double height);
void canvas_circle(canvas *k, double x, double y, double radius);
void canvas_paint(canvas *k, const canvas_style *style);                          /* fills, strokes, forgets the path */

void canvas_clip(canvas *k, double x, double y, double width, double height);
void canvas_unclip(canvas *k);

/* -- text: UTF-8, on its base line -- */
canvas_extents canvas_measure(canvas *k, const canvas_font *font, const char *text);
/* anchor: the share of the text's width that lies before x; angle: clockwise, in radians, around (x, y). */
void canvas_text(canvas *k, const canvas_font *font, const char *text, double x, double y, double anchor, double angle,
                 canvas_color color);

/* -- pictures -- */
/* A PNG stretched over a rectangle; smooth: interpolated, else its pixels stay squares.  false: no PNG. */
bool canvas_image(canvas *k, size_t n_bytes, const unsigned char *png, double x, double y, double width, double height,
                  bool smooth);

/* Called with one piece of a PNG after the other; false ends it. */
typedef bool canvas_sink(void *to, const unsigned char *bytes, size_t n_bytes);
bool canvas_png(canvas *k, canvas_sink *put, void *to);

#endif
