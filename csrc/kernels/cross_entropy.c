/* cross_entropy.c -- log_softmax and nll_loss in one pass, with label smoothing e (Szegedy et al., CVPR 2016):
**   L = log sum_c exp x[c];  W = sum_c w[c]
**   loss[s] = (1 - e) w[y] (L - x[y]) + e/C (W L - sum_c w[c] x[c]);   none, their sum, or sum / sum of w[y]
**   dx[c] = g ((1 - e) w[y] + e/C W) softmax(x)[c] - g e/C w[c] - [c = y] g (1 - e) w[y]
** L is saved by sample, so the backward needs one exponential an element and no sums.  float32 scores are read as
** vectors: along the classes where those are adjacent, along the samples in lanes order. */
#include <math.h>
#include <string.h>

#include "../tensor/parallel.h"
#include "class_loss.h"
#include "vector_math.h"

enum { IGNORE_INDEX, LABEL_SMOOTHING, REDUCTION };
enum { SAMPLES = 256, LANES = 16, ITEMS_A_CHUNK = 1 << 13 };

typedef struct work {
  const op_call *call;
  class_layout layout;
  const tensor *x;
  tensor *lse, *dx;
  const int64_t *label;
  int64_t ignore;
  double smoothing, total_class_weight;
  double *losses;
  const class_incoming *incoming;
} work;

static double item(const tensor *t, int64_t i) {
  return t->dtype == DTYPE_FLOAT32 ? (double)tensor_float32(t)[i] : tensor_float64(t)[i];
}

static void set_item(tensor *t, int64_t i, double value) {
  if (t->dtype == DTYPE_FLOAT32) tensor_float32(t)[i] = (float)value;
  else tensor_float64(t)[i] = value;
}

static double class_weight(const op_call *call, int64_t c) {
  return call->saved[CLASS_WEIGHT] != NULL ? item(call->saved[CLASS_WEIGHT], c) : 1.0;
}

/* -- L of one sample, and of a run of samples -- */

/* Adjacent classes; the rest of the last vector counts as -infinity. */
CLONES static float lse_of_row(int64_t n_classes, const float *x) {
  float largest[LANES], sum[LANES], last[LANES];
  int64_t whole = n_classes / LANES * LANES;
  for (int64_t j = 0; j < LANES; j++) last[j] = whole + j < n_classes ? x[whole + j] : -INFINITY;
  for (int64_t j = 0; j < LANES; j++) largest[j] = last[j];
  for (int64_t c = 0; c < whole; c += LANES)
    for (int64_t j = 0; j < LANES; j++) largest[j] = x[c + j] > largest[j] ? x[c + j] : largest[j];
  float top = largest[0], total = 0.0f;
  for (int64_t j = 1; j < LANES; j++) top = largest[j] > top ? largest[j] : top;
  for (int64_t j = 0; j < LANES; j++) sum[j] = exp_float(last[j] - top);
  for (int64_t c = 0; c < whole; c += LANES)
    for (int64_t j = 0; j < LANES; j++) sum[j] += exp_float(x[c + j] - top);
  for (int64_t j = 0; j < LANES; j++) total += sum[j];
  return top + log_float(total);
}

/* n <= SAMPLES adjacent samples. */
CLONES static void lse_of_run(int64_t n, int64_t n_classes, int64_t class_stride, const float *restrict x,
                              float *restrict lse) {
  float top[SAMPLES], sum[SAMPLES];
  for (int64_t s = 0; s < n; s++) top[s] = x[s], sum[s] = 0.0f;
  for (int64_t c = 1; c < n_classes; c++)
    for (int64_t s = 0; s < n; s++) top[s] = x[c * class_stride + s] > top[s] ? x[c * class_stride + s] : top[s];
  for (int64_t c = 0; c < n_classes; c++)
    for (int64_t s = 0; s < n; s++) sum[s] += exp_float(x[c * class_stride + s] - top[s]);
  for (int64_t s = 0; s < n; s++) lse[s] = top[s] + log_float(sum[s]);
}

static double lse_float64(int64_t n_classes, int64_t class_stride, const double *x) {
  double top = x[0], sum = 0.0;
  for (int64_t c = 1; c < n_classes; c++) top = x[c * class_stride] > top ? x[c * class_stride] : top;
  for (int64_t c = 0; c < n_classes; c++) sum += exp(x[c * class_stride] - top);
  return top + log(sum);
}

/* -- dx = scale softmax(x), without smoothing and label -- */

CLONES static void softmax_row(int64_t n_classes, const float *restrict x, float lse, float scale,
                               float *restrict dx) {
  float last[LANES];
  int64_t whole = n_classes / LANES * LANES;
  for (int64_t c = 0; c < whole; c++) dx[c] = scale * exp_float(x[c] - lse);
  for (int64_t j = 0; j < LANES; j++) last[j] = whole + j < n_classes ? x[whole + j] : lse;
  for (int64_t j = 0; j < LANES; j++) last[j] = scale * exp_float(last[j] - lse);
  for (int64_t c = whole; c < n_classes; c++) dx[c] = last[c - whole];
}

CLONES static void softmax_run(int64_t n, int64_t n_classes, int64_t class_stride, const float *restrict x,
                               const float *restrict lse, const float *restrict scale, int64_t dx_class_stride,
                               float *restrict dx) {
  for (int64_t c = 0; c < n_classes; c++)
    for (int64_t s = 0; s < n; s++)
      dx[c * dx_class_stride + s] = scale[s] * exp_float(x[c * class_stride + s] - lse[s]);
}

static void softmax_float64(int64_t n_classes, int64_t class_stride, const double *x, double lse, double scale,
                            int64_t dx_class_stride, double *dx) {
  for (int64_t c = 0; c < n_classes; c++) dx[c * dx_class_stride] = scale * exp(x[c * class_stride] - lse);
}

/* Samples [begin, result) lie side by side and fit into a block. */
static int64_t end_of_run(const class_layout *l, int64_t begin, int64_t end) {
  int64_t run_end = (begin / l->inner + 1) * l->inner;
  if (run_end > end) run_end = end;
  return run_end < begin + SAMPLES ? run_end : begin + SAMPLES;
}

static bool in_rows(const class_layout *l) { return l->inner_stride != 1 || l->inner == 1; }

/* -- forward -- */

static double loss_of(const work *w, int64_t s) {
  const class_layout *l = &w->layout;
  if (w->label[s] == w->ignore) return 0.0;
  int64_t at = class_place(l, s), y = w->label[s] - 1;
  double lse = item(w->lse, s), weight = class_weight(w->call, y);
  double loss = (1.0 - w->smoothing) * weight * (lse - item(w->x, at + y * l->class_stride));
  if (w->smoothing == 0.0) return loss;
  double weighted = 0.0;
  for (int64_t c = 0; c < l->n_classes; c++)
    weighted += class_weight(w->call, c) * (lse - item(w->x, at + c * l->class_stride));
  return loss + w->smoothing / (double)l->n_classes * weighted;
}

static void forward_samples(void *argument, int64_t begin, int64_t end) {
  const work *w = argument;
  const class_layout *l = &w->layout;
  bool is_double = w->x->dtype == DTYPE_FLOAT64;
  for (int64_t s = begin, next; s < end; s = next) {
    int64_t at = class_place(l, s);
    next = s + 1;
    if (is_double) {
      tensor_float64(w->lse)[s] = lse_float64(l->n_classes, l->class_stride, tensor_float64(w->x) + at);
    } else if (in_rows(l) && l->class_stride == 1) {
      tensor_float32(w->lse)[s] = lse_of_row(l->n_classes, tensor_float32(w->x) + at);
    } else {
      next = in_rows(l) ? s + 1 : end_of_run(l, s, end);
      lse_of_run(next - s, l->n_classes, l->class_stride, tensor_float32(w->x) + at, tensor_float32(w->lse) + s);
    }
  }
  for (int64_t s = begin; s < end; s++) w->losses[s] = loss_of(w, s);
}

static int64_t grain(const class_layout *l) { return ITEMS_A_CHUNK / (l->n_classes + 1) + 1; }

static work begin_work(const op_call *call) {
  work w = { .call = call, .x = call->saved[CLASS_SCORES], .lse = call->saved[CLASS_LSE],
             .label = tensor_int64(call->saved[CLASS_TARGET]), .ignore = call->values[IGNORE_INDEX].integer,
             .smoothing = call->values[LABEL_SMOOTHING].number };
  w.layout = class_layout_of(w.x);
  for (int64_t c = 0; c < w.layout.n_classes; c++) w.total_class_weight += class_weight(call, c);
  return w;
}

static status forward(op_call *call) {
  context *c = call->context;
  double smoothing = call->values[LABEL_SMOOTHING].number;
  if (!(smoothing >= 0.0 && smoothing <= 1.0))
    return op_fail(call, "label_smoothing is %g; it must be in [0, 1]", message_number(smoothing));
  status code = class_begin(call, call->values[IGNORE_INDEX].integer);
  if (code != STATUS_OK) return code;
  class_layout l = class_layout_of(call->saved[CLASS_SCORES]);
  if (l.n_classes == 0) return op_fail(call, "input has no classes");
  call->saved[CLASS_LSE] = tensor_new(c, call->input_meta[0].dtype, 1, &l.n_samples);
  size_t n_bytes = (size_t)(l.n_samples + 1) * sizeof(double);
  double *losses = context_get(c, n_bytes);
  code = losses != NULL && call->saved[CLASS_LSE] != NULL ? STATUS_OK : STATUS_NO_MEMORY;
  if (code == STATUS_OK) {
    work w = begin_work(call);
    w.losses = losses;
    parallel_for(c, l.n_samples, grain(&l), forward_samples, &w);
    code = class_finish(call, losses, call->values[REDUCTION].integer, w.ignore);
  }
  if (losses != NULL) context_put(c, losses, n_bytes);
  return code;
}

/* -- backward -- */

/* What smoothing and label add to scale softmax(x); an ignored sample's gradient is zero whatever its scores. */
static void finish_gradient(const work *w, const class_layout *out, int64_t s) {
  int64_t at = class_place(out, s), y = w->label[s] - 1;
  if (w->label[s] == w->ignore) {
    for (int64_t c = 0; c < out->n_classes; c++) set_item(w->dx, at + c * out->class_stride, 0.0);
    return;
  }
  double g = class_incoming_at(w->incoming, s), share = g * w->smoothing / (double)out->n_classes;
  if (share != 0.0) {
    for (int64_t c = 0; c < out->n_classes; c++) {
      int64_t place = at + c * out->class_stride;
      set_item(w->dx, place, item(w->dx, place) - share * class_weight(w->call, c));
    }
  }
  int64_t place = at + y * out->class_stride;
  set_item(w->dx, place, item(w->dx, place) - g * (1.0 - w->smoothing) * class_weight(w->call, y));
}

/* g ((1 - e) w[y] + e/C W) */
static double softmax_scale(const work *w, int64_t s) {
  if (w->label[s] == w->ignore) return 0.0;
  double own = (1.0 - w->smoothing) * class_weight(w->call, w->label[s] - 1);
  return class_incoming_at(w->incoming, s) *
         (own + w->smoothing / (double)w->layout.n_classes * w->total_class_weight);
}

static void backward_run(const work *w, const class_layout *out, int64_t s, int64_t n) {
  const class_layout *l = &w->layout;
  float scale[SAMPLES];
  for (int64_t i = 0; i < n; i++) scale[i] = (float)softmax_scale(w, s + i);
  softmax_run(n, l->n_classes, l->class_stride, tensor_float32(w->x) + class_place(l, s), tensor_float32(w->lse) + s,
              scale, out->class_stride, tensor_float32(w->dx) + class_place(out, s));
}

static void backward_samples(void *argument, int64_t begin, int64_t end) {
  const work *w = argument;
  const class_layout *l = &w->layout, out = class_layout_of(w->dx);
  bool is_double = w->x->dtype == DTYPE_FLOAT64;
  for (int64_t s = begin, next; s < end; s = next) {
    int64_t at = class_place(l, s), to = class_place(&out, s);
    next = s + 1;
    if (is_double) {
      softmax_float64(l->n_classes, l->class_stride, tensor_float64(w->x) + at, tensor_float64(w->lse)[s],
                      softmax_scale(w, s), out.class_stride, tensor_float64(w->dx) + to);
    } else if (in_rows(l) && l->class_stride == 1 && out.class_stride == 1) {
      softmax_row(l->n_classes, tensor_float32(w->x) + at, tensor_float32(w->lse)[s], (float)softmax_scale(w, s),
                  tensor_float32(w->dx) + to);
    } else {
      next = in_rows(l) || in_rows(&out) ? s + 1 : end_of_run(l, s, end);
      backward_run(w, &out, s, next - s);
    }
  }
  for (int64_t s = begin; s < end; s++) finish_gradient(w, &out, s);
}

static status backward(op_call *call) {
  work w = begin_work(call);
  class_incoming g;
  status code = class_incoming_begin(call, call->values[REDUCTION].integer, w.ignore, &g);
  if (code == STATUS_OK) code = op_gradient_like(call, 0, w.x);
  if (code == STATUS_OK) {
    w.dx = call->input_gradients[0];
    w.incoming = &g;
    parallel_for(call->context, w.layout.n_samples, grain(&w.layout), backward_samples, &w);
  }
  class_incoming_end(&g);
  return code;
}

static const parameter parameters[] = {
  { "input", P_TENSOR, 0, NULL, NULL },
  { "target", P_TENSOR, 0, NULL, NULL },
  { "weight", P_TENSOR_OR_NIL, CONSTANT, NULL, NULL },
  { "ignore_index", P_INTEGER, OPTION, "-100", NULL },
  { "label_smoothing", P_NUMBER, OPTION, "0", NULL },
  { "reduction", P_CHOICE, OPTION, "mean", "none|mean|sum" },
  { .name = NULL },
};

static const char *const samples[] = {
  "input=normal(5,4) target=index<4>(5)",
  "input=normal(17,3):lanes target=index<3>(17) weight=positive(3) label_smoothing=0.1 reduction=sum",
  "input=normal(3,4,2,5) target=index<4>(3,2,5) weight=positive(4)",
  "input=normal(3,4,5):t target=index<4>(3,5) reduction=none ignore_index=2",
  "input=normal(7,37) target=index<37>(7) label_smoothing=0.3",
  "input=normal(6) target=index<6>()",
  "bench input=normal(256,10) target=index<10>(256)",
  NULL,
};

const op op_cross_entropy = {
  .name = "cross_entropy",
  .flags = OP_FUNCTIONAL,
  .help = "cross_entropy(input, target [, weight [, { label_smoothing = 0, ignore_index = -100, reduction = \"mean\" "
          "}]]) -> tensor\n\n"
          "nll_loss(log_softmax(input), target): input (N, C) or (N, C, d1, ...) holds any scores, target (N) or "
          "(N, d1, ...) the int64 classes 1..C.  The mean divides by the sum of the weights.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
};
