"""Our operations in PyTorch's words: name -> function.

It is called like ours: positional parameters in our order (None for one that is left out before another), options by
name, absent ones left to PyTorch's own defaults.  Dims and index tensors arrive 0-based; index results must be
returned 1-based (one_based() does that).  The benchmark times the same functions.
"""

import torch
import torch.nn.functional as F


def one_based(function):
    """Adds one to the integer tensors that function returns."""

    def adjusted(*arguments, **options):
        results = function(*arguments, **options)
        if isinstance(results, torch.Tensor):
            return results + 1
        return tuple(r if r.is_floating_point() else r + 1 for r in results)

    return adjusted


def operator(function):
    """Numbers become 0-dim tensors, where PyTorch wants tensors."""

    def adjusted(*arguments):
        return function(*(a if isinstance(a, torch.Tensor) else torch.tensor(a) for a in arguments))

    return adjusted


def reduction(function):
    """All dims where none is given."""

    def adjusted(x, dim=None, **options):
        return function(x, dim=tuple(range(x.dim())) if dim is None else dim, **options)

    return adjusted


def flip(x, dims):
    """Its dims are read as sizes are, and so arrive 1-based."""
    return torch.flip(x, [zero_based(d) for d in dims])


def roll(x, shifts, dims=None):
    """Its shifts are read as dims are, and so arrive one too small from 1 on."""
    return torch.roll(x, tuple(s + 1 if s >= 0 else s for s in shifts), dims)


def plain(*names):
    return {name: getattr(torch, name) for name in names}


def functional(*names):
    return {name: getattr(F, name) for name in names}


def linalg(*names):
    return {name: getattr(torch.linalg, name) for name in names}


def operators(*names):
    return {name: operator(getattr(torch, name)) for name in names}


def reductions(*names):
    return {name: reduction(getattr(torch, name)) for name in names}


def zero_based(position):
    return position - 1 if position > 0 else position


def take_range(x, dim, first=None, last=None, step=None):
    """Positions first..last inclusive, 1-based; negative ones count from the end."""
    size = x.shape[dim]
    begin, end = (p + size if p < 0 else p - 1 for p in (first or 1, last or -1))
    return x.index_select(dim, torch.arange(begin, max(begin, end + 1), step or 1))


def prod(x, dim=None, keepdim=False):
    for d in sorted((d % x.dim() for d in (range(x.dim()) if dim is None else dim)), reverse=True):
        x = torch.prod(x, d, keepdim=keepdim)
    return x


def variance(function):
    def adjusted(x, dim=None, keepdim=False, unbiased=True, correction=None):
        correction = (1 if unbiased else 0) if correction is None else correction
        return function(x, dim=dim, correction=correction, keepdim=keepdim)

    return adjusted


def with_ignored(function):
    """ignore_index names a class, 1-based; negative ones are no class and stay."""

    def adjusted(*arguments, ignore_index=-100, **options):
        return function(*arguments, ignore_index=zero_based(ignore_index), **options)

    return adjusted


def count_nonzero(x, dim=None, keepdim=False):
    return reduction(torch.sum)(x != 0, dim, keepdim=keepdim)


def as_index(function):
    """src may be larger than index: PyTorch's backward wants the part that is used."""

    def adjusted(x, dim, index, src):
        if isinstance(src, torch.Tensor):
            src = src[tuple(slice(n) for n in index.shape)]
        return function(x, dim, index, src)

    return adjusted


def signs_of_columns(v):
    """1 or -1 for each column, so that its item of largest magnitude becomes positive."""
    largest = v.detach().abs().argmax(dim=-2, keepdim=True)
    return torch.sign(v.detach().gather(-2, largest))


def eigh(x):
    w, v = torch.linalg.eigh((x + x.mT) / 2)
    return w, v * signs_of_columns(v)


def svd(x, full_matrices=False):
    u, s, vh = torch.linalg.svd(x, full_matrices=full_matrices)
    u_signs, v_signs, k = signs_of_columns(u), signs_of_columns(vh.mT).mT, s.shape[-1]
    v_signs = torch.cat([u_signs[..., :k].mT, v_signs[..., k:, :]], -2)
    return u * u_signs, s, vh * v_signs


def activated(function):
    """With a ReLU behind it, if asked for."""

    def adjusted(*arguments, activation="none", **options):
        y = function(*arguments, **options)
        return torch.relu(y) if activation == "relu" else y

    return adjusted


def batch_norm(x, weight=None, bias=None, running_mean=None, running_var=None, **options):
    return F.batch_norm(x, running_mean, running_var, weight, bias, **options)


def extreme(function):
    """max and min: of everything the value, along a dim values and places."""

    def adjusted(x, dim=None, **options):
        if dim is None:
            return function(x)
        values, places = function(x, dim[0], **options)
        return values, places + 1

    return adjusted


def place(function):
    def adjusted(x, dim=None, **options):
        return one_based(function)(x, None if dim is None else dim[0], **options)

    return adjusted


def kl_div(*arguments, reduction="mean", **options):
    """The mean by itself: PyTorch warns of that reduction."""
    if reduction == "mean":
        return F.kl_div(*arguments, reduction="none", **options).mean()
    return F.kl_div(*arguments, reduction=reduction, **options)


def bce_with_logits(input, target, weight=None, pos_weight=None, reduction="mean"):
    return F.binary_cross_entropy_with_logits(input, target, weight, pos_weight=pos_weight, reduction=reduction)


EQUIVALENTS = {
    # views and indexing
    "clone": torch.clone,
    "contiguous": lambda x: x.contiguous(),
    "expand": lambda x, sizes: x.expand(sizes),
    "flatten": lambda x, first=0, last=-1: x.flatten(0 if first is None else first, last),
    "narrow": lambda x, dim, start, length: x.narrow(dim, zero_based(start), length),
    "permute": lambda x, dims: x.permute([zero_based(d) for d in dims]),
    "reshape": lambda x, sizes: x.reshape(sizes),
    "select": lambda x, dim, index: x.select(dim, zero_based(index)),
    "slice": take_range,
    "to": lambda x, dtype: x.to(dtype),
    "unflatten": lambda x, dim, sizes: x.unflatten(dim, sizes),
    **plain("squeeze", "transpose", "unsqueeze"),

    # elementwise
    **plain(
        "abs", "ceil", "clamp", "cos", "erf", "exp", "expm1", "floor", "isfinite", "isinf", "isnan", "lerp", "log",
        "log1p", "logical_not", "masked_fill", "neg", "reciprocal", "relu", "round", "rsqrt", "sigmoid", "sign",
        "sin", "sqrt", "square", "tanh", "where",
    ),
    **operators(
        "add", "div", "eq", "floor_divide", "fmod", "ge", "gt", "le", "logical_and", "logical_or", "logical_xor",
        "lt", "maximum", "minimum", "mul", "ne", "pow", "remainder", "sub",
    ),
    **functional("elu", "gelu", "leaky_relu", "silu", "softplus"),

    # reductions, order, index
    **reductions("all", "amax", "amin", "any", "logsumexp", "mean", "sum"),
    **plain("cat", "cumsum", "gather", "index_select", "log_softmax", "masked_select", "softmax", "stack", "tril", "triu"),
    "argmax": place(torch.argmax),
    "argmin": place(torch.argmin),
    "argsort": one_based(torch.argsort),
    "count_nonzero": count_nonzero,
    "cumprod": torch.cumprod,
    "flip": flip,
    "max": extreme(torch.max),
    "min": extreme(torch.min),
    "nonzero": one_based(torch.nonzero),
    "norm": lambda x, p=None, dim=None, keepdim=False: torch.linalg.vector_norm(x, 2 if p is None else p, dim, keepdim),
    "one_hot": F.one_hot,
    "roll": roll,
    "prod": prod,
    "scatter": as_index(torch.scatter),
    "scatter_add": as_index(torch.scatter_add),
    "sort": one_based(torch.sort),
    "std": variance(torch.std),
    "topk": one_based(torch.topk),
    "var": variance(torch.var),

    # matrix products and linear algebra
    **plain("addmm", "bmm", "dot", "matmul", "mm", "mv", "outer"),
    **linalg("cholesky", "det", "inv", "qr", "slogdet", "solve", "svdvals"),
    "eigh": eigh,
    "eigvalsh": lambda x: torch.linalg.eigvalsh((x + x.mT) / 2),
    "lstsq": lambda a, b: torch.linalg.lstsq(a, b).solution,
    "svd": svd,

    # convolution
    "conv2d": activated(F.conv2d),
    "conv_transpose2d": activated(F.conv_transpose2d),

    # layers
    **functional(
        "adaptive_avg_pool2d", "avg_pool2d", "dropout", "embedding", "layer_norm", "max_pool2d",
    ),
    "batch_norm": activated(batch_norm),
    "linear": activated(F.linear),
    "max_pool2d_with_indices": one_based(
        lambda *arguments, **options: F.max_pool2d(*arguments, return_indices=True, **options)),
    "upsample": F.interpolate,

    # losses
    "kl_div": kl_div,
    **functional("binary_cross_entropy", "l1_loss", "mse_loss", "smooth_l1_loss"),
    "binary_cross_entropy_with_logits": bce_with_logits,
    "cross_entropy": with_ignored(F.cross_entropy),
    "nll_loss": with_ignored(F.nll_loss),
}
