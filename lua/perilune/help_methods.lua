-- help_methods.lua -- what perilune.help says of the methods of a tensor that are no operations and have no comment
-- above them: those made in C, and the short forms of to(dtype).
return {
  backward = "t:backward(gradient, { retain_graph = false })\n\nAdds to .grad of every leaf that requires it the " ..
    "gradient of t, and frees the graph.  gradient may be left out for a tensor of one element.",
  copy_ = "t:copy_(source) -> t\n\nWrites the values of source into t, broadcasting and converting.",
  detach = "t:detach() -> tensor\n\nThe same elements, without the tape.",
  dim = "t:dim() -> integer\n\nThe number of dims; also t.ndim.",
  fill_ = "t:fill_(value) -> t\n\nAll elements become value.",
  zero_ = "t:zero_() -> t\n\nAll elements become 0.",
  normal_ = "t:normal_(mean = 0, std = 1) -> t\n\nAll elements are drawn anew from N(mean, std^2).",
  uniform_ = "t:uniform_(low = 0, high = 1) -> t\n\nAll elements are drawn anew, uniform in [low, high).",
  is_contiguous = "t:is_contiguous() -> boolean\n\nWhether the elements lie row by row in memory, without gaps.",
  lanes = "t:lanes() -> tensor\n\nThe same values, detached, with the samples (dim 1) innermost in memory: the " ..
    "order that layers are fastest with.",
  is_lanes = "t:is_lanes() -> boolean\n\nWhether the samples lie innermost in memory; see lanes.",
  item = "t:item() -> number|boolean\n\nThe only element, as a Lua value: integers of integer tensors, floats of " ..
    "float tensors.",
  numel = "t:numel() -> integer\n\nThe number of elements.",
  register_hook = "t:register_hook(function(gradient) ... end) -> id\n\nCalled when the gradient of t is known; a " ..
    "tensor that it returns replaces the gradient.  The tape holds the function: one that uses t itself keeps both " ..
    "alive until t:remove_hook(id).",
  remove_hook = "t:remove_hook(id)\n\nTakes away what register_hook added.",
  requires_grad_ = "t:requires_grad_(flag = true) -> t\n\nWhether the tape keeps track of t.",
  size = "t:size() -> table, t:size(dim) -> integer\n\nThe sizes, or that of one dim; also t.shape.",
  stride = "t:stride() -> table\n\nBy how many elements memory goes on from one position of a dim to the next.",
  totable = "t:totable() -> table\n\nNested tables of Lua numbers; a 0-dim tensor gives a number.",
  float = "t:float() -> tensor\n\nShort for t:to(\"float32\").",
  double = "t:double() -> tensor\n\nShort for t:to(\"float64\").",
  long = "t:long() -> tensor\n\nShort for t:to(\"int64\").",
  byte = "t:byte() -> tensor\n\nShort for t:to(\"uint8\").",
  bool = "t:bool() -> tensor\n\nShort for t:to(\"bool\").",
}
