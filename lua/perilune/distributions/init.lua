--- perilune.distributions: random variables whose parameters are tensors, and may be learnt; PyTorch's names.
return {
  Normal = require("perilune.distributions.normal").Normal,
  kl_divergence = require("perilune.distributions.kl").kl_divergence,
}
