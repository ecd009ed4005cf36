/* canvas.c -- a drawing surface of pixels, by Cairo. */
#include "canvas.h"

#include <math.h>
#include <string.h>

void canvas_open(canvas *k, int width_pixels, int height_pixels, double scale) {
  k->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width_pixels, height_pixels);
  k->cairo = cairo_create(k->surface);
  cairo_set_source_rgb(k->cairo, 1.0, 1.0, 1.0);
  cairo_paint(k->cairo);
  cairo_scale(k->cairo, scale, scale);
  cairo_set_line_join(k->cairo, CAIRO_LINE_JOIN_ROUND);
  /* Unhinted, text is as wide at every scale: what was measured once holds. */
  cairo_font_options_t *options = cairo_font_options_create();
  cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
  cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
  cairo_set_font_options(k->cairo, options);
  cairo_font_options_destroy(options);
}

void canvas_close(canvas *k) {
  if (k->surface == NULL) return;
  cairo_destroy(k->cairo);
  cairo_surface_destroy(k->surface);
  *k = (canvas){ NULL, NULL };
}

const char *canvas_error(const canvas *k) {
  cairo_status_t code = cairo_status(k->cairo);
  return code == CAIRO_STATUS_SUCCESS ? NULL : cairo_status_to_string(code);
}

static double part(canvas_color color, int shift) { return (double)(color >> shift & 0xFF) / 255.0; }

static void set_color(canvas *k, canvas_color color) {
  cairo_set_source_rgba(k->cairo, part(color, 24), part(color, 16), part(color, 8), part(color, 0));
}

/* -- paths -- */

void canvas_line(canvas *k, size_t n, const double *points, bool closed) {
  cairo_new_sub_path(k->cairo);
  for (size_t i = 0; i < n; i++) cairo_line_to(k->cairo, points[2 * i], points[2 * i + 1]);
  if (closed && n > 0) cairo_close_path(k->cairo);
}

void canvas_rectangle(canvas *k, double x, double y, double width, double height) {
  cairo_rectangle(k->cairo, x, y, width, height);
}

void canvas_circle(canvas *k, double x, double y, double radius) {
  cairo_new_sub_path(k->cairo);
  cairo_arc(k->cairo, x, y, radius, 0.0, 2.0 * M_PI);
  cairo_close_path(k->cairo);
}

void canvas_paint(canvas *k, const canvas_style *style) {
  if (style->fill != CANVAS_NONE) {
    set_color(k, style->fill);
    cairo_fill_preserve(k->cairo);
  }
  if (style->stroke != CANVAS_NONE) {
    set_color(k, style->stroke);
    cairo_set_line_width(k->cairo, style->width);
    cairo_set_dash(k->cairo, style->dash, style->n_dashes, 0.0);
    cairo_stroke_preserve(k->cairo);
  }
  cairo_new_path(k->cairo);
}

void canvas_clip(canvas *k, double x, double y, double width, double height) {
  cairo_save(k->cairo);
  cairo_rectangle(k->cairo, x, y, width, height);
  cairo_clip(k->cairo);
}

void canvas_unclip(canvas *k) { cairo_restore(k->cairo); }

/* -- text -- */

static void select_font(canvas *k, const canvas_font *font) {
  cairo_select_font_face(k->cairo, font->family, CAIRO_FONT_SLANT_NORMAL,
                         font->bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(k->cairo, font->size);
}

canvas_extents canvas_measure(canvas *k, const canvas_font *font, const char *text) {
  cairo_text_extents_t extents;
  cairo_font_extents_t line;
  select_font(k, font);
  cairo_text_extents(k->cairo, text, &extents);
  cairo_font_extents(k->cairo, &line);
  return (canvas_extents){ extents.x_advance, line.ascent, line.descent };
}

void canvas_text(canvas *k, const canvas_font *font, const char *text, double x, double y, double anchor, double angle,
                 canvas_color color) {
  canvas_extents extents = canvas_measure(k, font, text);
  cairo_save(k->cairo);
  cairo_translate(k->cairo, x, y);
  cairo_rotate(k->cairo, angle);
  cairo_move_to(k->cairo, -anchor * extents.advance, 0.0);
  set_color(k, color);
  cairo_show_text(k->cairo, text);
  cairo_new_path(k->cairo);
  cairo_restore(k->cairo);
}

/* -- pictures -- */

typedef struct source {
  const unsigned char *bytes;
  size_t left;
} source;

static cairo_status_t take(void *from, unsigned char *to, unsigned int n_bytes) {
  source *s = from;
  if (n_bytes > s->left) return CAIRO_STATUS_READ_ERROR;
  memcpy(to, s->bytes, n_bytes);
  s->bytes += n_bytes;
  s->left -= n_bytes;
  return CAIRO_STATUS_SUCCESS;
}

bool canvas_image(canvas *k, size_t n_bytes, const unsigned char *png, double x, double y, double width, double height,
                  bool smooth) {
  source s = { png, n_bytes };
  cairo_surface_t *picture = cairo_image_surface_create_from_png_stream(take, &s);
  bool fine = cairo_surface_status(picture) == CAIRO_STATUS_SUCCESS;
  if (fine) {
    cairo_save(k->cairo);
    cairo_rectangle(k->cairo, x, y, width, height);
    cairo_clip(k->cairo);
    cairo_translate(k->cairo, x, y);
    cairo_scale(k->cairo, width / cairo_image_surface_get_width(picture),
                height / cairo_image_surface_get_height(picture));
    cairo_set_source_surface(k->cairo, picture, 0.0, 0.0);
    cairo_pattern_set_filter(cairo_get_source(k->cairo), smooth ? CAIRO_FILTER_GOOD : CAIRO_FILTER_NEAREST);
    cairo_pattern_set_extend(cairo_get_source(k->cairo), CAIRO_EXTEND_PAD);
    cairo_paint(k->cairo);
    cairo_restore(k->cairo);
  }
  cairo_surface_destroy(picture);
  return fine;
}

typedef struct target {
  canvas_sink *put;
  void *to;
} target;

static cairo_status_t give(void *closure, const unsigned char *bytes, unsigned int n_bytes) {
  const target *t = closure;
  return t->put(t->to, bytes, n_bytes) ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_NO_MEMORY;
}

bool canvas_png(canvas *k, canvas_sink *put, void *to) {
  target t = { put, to };
  cairo_surface_flush(k->surface);
  return cairo_surface_write_to_png_stream(k->surface, give, &t) == CAIRO_STATUS_SUCCESS;
}
