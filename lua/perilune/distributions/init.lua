--- perilune.distributions: random variables whose parameters are tensors, and may be learnt; PyTorch's names.
return require "perilune.lazy" ("perilune.distributions", {
  Normal = { "perilune.distributions.normal", "Normal" },
  kl_divergence = { "perilune.distributions.kl", "kl_divergence" },
})
