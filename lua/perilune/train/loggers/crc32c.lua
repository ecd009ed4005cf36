-- crc32c.lua -- the checksum of TFRecord files: Castagnoli's polynomial 0x1EDC6F41, bits reversed (RFC 3720, B.4).
--
-- In Lua, byte by byte: a scalar is some 60 bytes.
local TABLE = {}
for n = 0, 255 do
  local value = n
  for _ = 1, 8 do value = value & 1 == 1 and value >> 1 ~ 0x82F63B78 or value >> 1 end
  TABLE[n] = value
end

--- The checksum of a string, 0 .. 2^32 - 1.
---@param bytes string
---@return integer
local function crc32c(bytes)
  local value, byte = 0xFFFFFFFF, string.byte
  for at = 1, #bytes do value = value >> 8 ~ TABLE[(value ~ byte(bytes, at)) & 0xFF] end
  return value ~ 0xFFFFFFFF
end

--- The same as TFRecord stores it, for data that holds checksums itself: rotated right by 15 bits, plus a constant.
---@param bytes string
---@return integer
local function masked(bytes)
  local value = crc32c(bytes)
  return ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF
end

return { crc32c = crc32c, masked = masked }
