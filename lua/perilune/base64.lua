-- base64.lua -- bytes as text, RFC 4648.
local DIGITS = {}
for digit in ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"):gmatch(".") do
  DIGITS[#DIGITS + 1] = digit
end

---@param bytes string
---@return string
return function(bytes)
  local parts = {}
  for i = 1, #bytes, 3 do
    local a, b, c = bytes:byte(i, i + 2)
    local bits = a << 16 | (b or 0) << 8 | (c or 0)
    parts[#parts + 1] = DIGITS[(bits >> 18) + 1] .. DIGITS[(bits >> 12 & 63) + 1]
      .. (b and DIGITS[(bits >> 6 & 63) + 1] or "=") .. (c and DIGITS[(bits & 63) + 1] or "=")
  end
  return table.concat(parts)
end
