/* conv_check.c -- do x, weight, bias and options of a convolution fit together, and what size is its output?
**   to small: out = floor((in + 2 padding - dilation (kernel - 1) - 1) / stride) + 1
**   to large: out = (in - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1 */
#include "conv_pass.h"

enum { LARGEST_OPTION = 1 << 24 };

static const char *shape_of(const tensor_meta *m, shape_text *text) {
  *text = shape_to_text(m->n_dims, m->shape);
  return text->text;
}

static status check_option(op_call *call, const char *name, int k, int64_t least, int64_t out[2]) {
  for (int d = 0; d < 2; d++) {
    out[d] = call->values[k].list.items[d];
    if (out[d] < least || out[d] > LARGEST_OPTION)
      return op_fail(call, "%s must be in %lld..%d, but is (%lld, %lld)", name, (long long)least, LARGEST_OPTION,
                     (long long)call->values[k].list.items[0], (long long)call->values[k].list.items[1]);
  }
  return STATUS_OK;
}

static status check_channels(op_call *call, conv_geometry *g, conv_direction to, int64_t groups) {
  const tensor_meta *x = &call->input_meta[0], *weight = &call->input_meta[1];
  shape_text x_text, weight_text;
  int64_t in = to == TO_SMALL ? weight->shape[1] * groups : weight->shape[0];
  if (groups < 1 || groups > LARGEST_OPTION)
    return op_fail(call, "groups must be in 1..%d, but is %lld", LARGEST_OPTION, (long long)groups);
  if (weight->shape[0] == 0 || weight->shape[1] == 0 || weight->shape[2] == 0 || weight->shape[3] == 0)
    return op_fail(call, "weight is empty: %s", shape_of(weight, &weight_text));
  if (x->shape[1] != in || weight->shape[0] % groups != 0)
    return op_fail(call, "x is %s but weight is %s with groups = %lld", shape_of(x, &x_text),
                   shape_of(weight, &weight_text), (long long)groups);
  g->n = x->shape[0];
  g->groups = groups;
  g->small_channels = weight->shape[0];
  g->large_channels = weight->shape[1] * groups;
  return STATUS_OK;
}

static status check_bias(op_call *call, int64_t n_channels) {
  const tensor *bias = call->inputs ? call->inputs[2] : NULL;
  if (!bias || (bias->n_dims == 1 && bias->shape[0] == n_channels)) return STATUS_OK;
  shape_text weight_text;
  return op_fail(call, "bias is %s but weight is %s: it must be (%lld)", tensor_shape_text(bias).text,
                 shape_of(&call->input_meta[1], &weight_text), (long long)n_channels);
}

static status check_size(op_call *call, conv_geometry *g, conv_direction to, int d, int64_t output_padding) {
  const tensor_meta *x = &call->input_meta[0], *weight = &call->input_meta[1];
  shape_text x_text, weight_text;
  int64_t in = x->shape[2 + d], reach = g->dilation[d] * (g->kernel[d] - 1) + 1, out;
  if (in > INT32_MAX || g->kernel[d] > LARGEST_OPTION)
    return op_fail(call, "x is %s and weight %s: too large", shape_of(x, &x_text), shape_of(weight, &weight_text));
  if (to == TO_SMALL) {
    int64_t room = in + 2 * g->padding[d] - reach;
    out = room < 0 ? 0 : room / g->stride[d] + 1;
  } else {
    out = (in - 1) * g->stride[d] - 2 * g->padding[d] + reach + output_padding;
  }
  if (in < 1 || out < 1 || out > INT32_MAX)
    return op_fail(call, "x is %s and weight %s: no output is left with padding %lld and dilation %lld",
                   shape_of(x, &x_text), shape_of(weight, &weight_text), (long long)g->padding[d],
                   (long long)g->dilation[d]);
  g->large_size[d] = to == TO_SMALL ? in : out;
  g->small_size[d] = to == TO_SMALL ? out : in;
  return STATUS_OK;
}

status conv_check(op_call *call, conv_geometry *g, conv_direction to, conv_options at) {
  int64_t output_padding[2] = { 0, 0 };
  status code = STATUS_OK;
  if (call->inputs) {   /* there in the forward only */
    if ((code = op_require_float(call)) != STATUS_OK) return code;
    if ((code = op_require_dims(call, 0, 4)) != STATUS_OK) return code;
    if ((code = op_require_dims(call, 1, 4)) != STATUS_OK) return code;
  }
  if ((code = check_option(call, "stride", at.stride, 1, g->stride)) != STATUS_OK) return code;
  if ((code = check_option(call, "padding", at.padding, 0, g->padding)) != STATUS_OK) return code;
  if ((code = check_option(call, "dilation", at.dilation, 1, g->dilation)) != STATUS_OK) return code;
  if (at.output_padding >= 0) {
    code = check_option(call, "output_padding", at.output_padding, 0, output_padding);
    if (code != STATUS_OK) return code;
  }
  if ((code = check_channels(call, g, to, call->values[at.groups].integer)) != STATUS_OK) return code;
  if ((code = check_bias(call, to == TO_SMALL ? g->small_channels : g->large_channels)) != STATUS_OK) return code;
  for (int d = 0; d < 2; d++) {
    g->kernel[d] = call->input_meta[1].shape[2 + d];
    if (output_padding[d] >= g->stride[d] && output_padding[d] >= g->dilation[d] && output_padding[d] > 0)
      return op_fail(call, "output_padding (%lld, %lld) must be smaller than stride or dilation",
                     (long long)output_padding[0], (long long)output_padding[1]);
    if ((code = check_size(call, g, to, d, output_padding[d])) != STATUS_OK) return code;
  }
  return STATUS_OK;
}

double conv_flops(const conv_geometry *g) {
  double pixels = (double)g->small_size[0] * (double)g->small_size[1] * (double)g->n;
  double weights = (double)g->small_channels * (double)(g->large_channels / g->groups);
  return 2 * pixels * weights * (double)(g->kernel[0] * g->kernel[1]);
}
