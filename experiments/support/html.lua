--- The little HTML that a report needs.  Every function returns a string; text is escaped, markup is not.
local M = {}

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

function M.escape(text) return (tostring(text):gsub('[&<>"]', ENTITIES)) end

--- <name attributes>content</name>; the attributes are markup, e.g. 'class="ours"'.
function M.element(name, content, attributes)
  return ("<%s%s>%s</%s>"):format(name, attributes and " " .. attributes or "", content, name)
end

--- Rows of strings as a table that scrolls by itself on a narrow screen.
---@param head string[]
---@param rows string[][]  markup
function M.table(head, rows)
  local lines = {}
  for i, title in ipairs(head) do lines[i] = M.element("th", M.escape(title)) end
  lines = { M.element("thead", M.element("tr", table.concat(lines))) }
  for _, row in ipairs(rows) do
    local cells = {}
    for i = 1, #head do cells[i] = M.element("td", row[i] or "") end
    lines[#lines + 1] = M.element("tr", table.concat(cells))
  end
  return M.element("div", M.element("table", table.concat(lines, "\n")), 'class="wide"')
end

local DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function digit(value) return DIGITS:sub(value + 1, value + 1) end

--- RFC 4648.
function M.base64(bytes)
  local out = {}
  for at = 1, #bytes, 3 do
    local a, b, c = bytes:byte(at, at + 2)
    local word = a << 16 | (b or 0) << 8 | (c or 0)
    out[#out + 1] = digit(word >> 18) .. digit(word >> 12 & 63) .. (b and digit(word >> 6 & 63) or "=")
      .. (c and digit(word & 63) or "=")
  end
  return table.concat(out)
end

local TYPES = { png = "image/png", svg = "image/svg+xml" }

-- How wide a picture is shown, as an attribute.  Our plots are in colour and have two pixels a point, for sharp
-- screens; grids of images are grey and have one.  A PNG begins with 16 bytes that say nothing; then come width,
-- height, depth and the type of colour (PNG specification, 11.2.2).
local function width_of(bytes)
  if #bytes < 26 or bytes:sub(2, 4) ~= "PNG" then return "" end
  local width, _, _, colour = string.unpack(">I4I4BB", bytes, 17)
  return (' width="%d"'):format(colour == 0 and width or width // 2)
end

--- A picture that lies in the page itself.
---@param path string  .png or .svg
---@param caption string
function M.figure(path, caption)
  local file, message = io.open(path, "rb")
  if not file then return M.element("p", M.escape(message), 'class="missing"') end
  local bytes = file:read("a")
  file:close()
  local image = ('<img alt="%s"%s src="data:%s;base64,%s">'):format(M.escape(caption), width_of(bytes),
    TYPES[path:match("%.(%w+)$")], M.base64(bytes))
  return M.element("figure", image .. M.element("figcaption", M.escape(caption)))
end

return M
