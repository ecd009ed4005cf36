--- Operations that a generic check cannot hold to the rule, each with its reason: check -> operation -> reason.
-- An operation has to be here, or to have its line in equivalents.py and pass.
return {
  -- No PyTorch equivalent to compare with.
  reference = {
  },
  -- Not compared with central differences.
  differences = {
  },
}
