/* addmm.c -- y = beta input + alpha a b.
**
** input broadcasts to (M, N), a (M, K), b (K, N).  When beta is 0 input is not read: NaN in it does not spread.
**
**   dinput = beta dy, summed over the dims along which it was broadcast;  da = alpha dy b^T;  db = alpha a^T dy. */
#include "../tensor/iterate.h"
#include "matmul.h"

enum { INPUT, A, B };   /* inputs */
enum { BETA, ALPHA };   /* values */

static status check(op_call *call, int64_t shape[2]) {
  status code = op_require_float(call);
  if (code == STATUS_OK) code = op_require_dims(call, A, 2);
  if (code == STATUS_OK) code = op_require_dims(call, B, 2);
  if (code != STATUS_OK) return code;
  const tensor *input = call->inputs[INPUT], *a = call->inputs[A], *b = call->inputs[B];
  if (a->shape[1] != b->shape[0])
    return op_fail(call, "a is %s but b is %s: %lld columns against %lld rows", tensor_shape_text(a).text,
                   tensor_shape_text(b).text, (long long)a->shape[1], (long long)b->shape[0]);
  shape[0] = a->shape[0];
  shape[1] = b->shape[1];
  int n_dims;
  int64_t together[MAX_DIMS];
  if (!shape_broadcast(input->n_dims, input->shape, 2, shape, &n_dims, together) || n_dims != 2 ||
      together[0] != shape[0] || together[1] != shape[1])
    return op_fail(call, "input is %s, which does not broadcast to the product's %s", tensor_shape_text(input).text,
                   shape_to_text(2, shape).text);
  return STATUS_OK;
}

static status forward(op_call *call) {
  int64_t shape[2];
  status code = check(call, shape);
  if (code != STATUS_OK) return code;
  double beta = call->values[BETA].number, alpha = call->values[ALPHA].number;
  code = op_output(call, 0, call->inputs[A]->dtype, 2, shape);
  if (code == STATUS_OK && beta != 0.0) code = tensor_copy(call->context, call->outputs[0], call->inputs[INPUT]);
  if (code == STATUS_OK)
    code = tensor_product(call->context, "addmm", call->outputs[0], call->inputs[A], call->inputs[B], alpha, beta);
  if (call->needs_gradient[A]) op_save(call, 1, call->inputs[B]);
  if (call->needs_gradient[B]) op_save(call, 0, call->inputs[A]);
  return code;
}

/* dinput = beta dy */
static void scale_loop(int64_t n, char *const *data, const int64_t *step, const void *extra) {
  const double *beta = extra;
  bool narrow = beta[1] != 0.0;
  for (int64_t i = 0; i < n; i++) {
    void *to = data[0] + i * step[0];
    const void *from = data[1] + i * step[1];
    if (narrow) *(float *)to = (float)beta[0] * *(const float *)from;
    else *(double *)to = beta[0] * *(const double *)from;
  }
}

static status gradient_of_input(op_call *call, tensor *g) {
  context *c = call->context;
  double beta[2] = { call->values[BETA].number, g->dtype == DTYPE_FLOAT32 };
  if (beta[0] == 1.0) return op_gradient_unbroadcast(call, INPUT, g);
  tensor *scaled = tensor_new(c, g->dtype, g->n_dims, g->shape);
  if (scaled == NULL) return STATUS_NO_MEMORY;
  tensor *operands[2] = { scaled, g };
  iterate(c, 2, operands, scale_loop, beta);
  status code = op_gradient_unbroadcast(call, INPUT, scaled);
  tensor_release(scaled);
  return code;
}

/* input_gradients[i] = alpha x y */
static status gradient_product(op_call *call, int i, tensor *x, tensor *y) {
  status code = op_gradient(call, i);
  if (code != STATUS_OK) return code;
  return tensor_product(call->context, "addmm", call->input_gradients[i], x, y, call->values[ALPHA].number, 0.0);
}

static status backward(op_call *call) {
  context *c = call->context;
  tensor *g = call->output_gradients[0];
  status code = STATUS_OK;
  if (call->needs_gradient[INPUT]) code = gradient_of_input(call, g);
  if (code == STATUS_OK && call->needs_gradient[A]) {
    tensor *b_transposed = tensor_matrix_transposed(c, call->saved[1]);
    code = b_transposed == NULL ? STATUS_NO_MEMORY : gradient_product(call, A, g, b_transposed);
    tensor_release(b_transposed);
  }
  if (code == STATUS_OK && call->needs_gradient[B]) {
    tensor *a_transposed = tensor_matrix_transposed(c, call->saved[0]);
    code = a_transposed == NULL ? STATUS_NO_MEMORY : gradient_product(call, B, a_transposed, g);
    tensor_release(a_transposed);
  }
  return code;
}

static double flops(const op_call *call) {
  return 2.0 * (double)tensor_numel(call->outputs[0]) * (double)call->inputs[A]->shape[1];
}

static const parameter parameters[] = {
  { "input", P_TENSOR, 0, NULL, NULL }, { "a", P_TENSOR, 0, NULL, NULL }, { "b", P_TENSOR, 0, NULL, NULL },
  { "beta", P_NUMBER, OPTION, "1", NULL }, { "alpha", P_NUMBER, OPTION, "1", NULL }, { NULL, 0, 0, NULL, NULL }
};

static const char *const samples[] = {
  "bench input=normal(256,64) a=normal(256,288) b=normal(288,64)",
  "input=normal(3,4) a=normal(3,5) b=normal(5,4)",
  "input=normal(4) a=normal(3,5) b=normal(5,4) beta=0.5 alpha=-2",
  "input=normal(3,1) a=normal(3,5):t b=normal(5,19):t alpha=0.25",
  "input=normal(1) a=normal(17,2) b=normal(2,23) beta=-1",
  NULL
};

const op op_addmm = {
  .name = "addmm",
  .flags = OP_METHOD,
  .help = "addmm(input, a, b, { beta = 1, alpha = 1 }) -> tensor\n\n"
          "beta * input + alpha * (a b), where a is (M, K), b (K, N), and input broadcasts to (M, N).  With beta = 0\n"
          "input is not read.",
  .parameters = parameters,
  .n_outputs = 1,
  .forward = forward,
  .backward = backward,
  .samples = samples,
  .flops = flops,
};
