-- What the specs of plots share: looking for things in a drawing.
local M = {}

--- The commands of one kind, in their order.
function M.commands(figure, kind)
  local found = {}
  for _, command in ipairs(figure:drawing().commands) do
    if command.kind == kind then found[#found + 1] = command end
  end
  return found
end

--- The set of all texts.
function M.texts(figure)
  local found = {}
  for _, command in ipairs(M.commands(figure, "text")) do found[command.text] = true end
  return found
end

--- What is drawn between clip and unclip: the marks.
function M.marks(figure)
  local found, inside = {}, false
  for _, command in ipairs(figure:drawing().commands) do
    if command.kind == "clip" then inside = true
    elseif command.kind == "unclip" then inside = false
    elseif inside then found[#found + 1] = command end
  end
  return found
end

--- The rectangle in which the marks are.
function M.inner(figure) return M.commands(figure, "clip")[1] end

local function box_of(command)
  local text = require "perilune.plot.text"
  local width, ascent, descent = text.measure(command.text, command.size, command.bold)
  local left, top = -command.anchor * width, -ascent
  if command.angle == 0 then
    return { command.x + left, command.y + top, command.x + left + width, command.y + descent }
  end
  return { command.x - 3, command.y + left - 3, command.x + 3, command.y + left + 3 }   -- turned: its start only
end

--- Two texts that touch, or one that leaves the page; nil if there are none.
function M.clash(figure)
  local texts, boxes = M.commands(figure, "text"), {}
  for i, command in ipairs(texts) do
    local box = box_of(command)
    boxes[i] = box
    if command.angle == 0 and (box[1] < 0 or box[2] < 0 or box[3] > figure.width or box[4] > figure.height) then
      return command.text .. " leaves the page"
    end
    for k = 1, i - 1 do
      local other = boxes[k]
      if command.angle == 0 and texts[k].angle == 0 and box[1] < other[3] and other[1] < box[3] and box[2] < other[4]
        and other[2] < box[4] then
        return ("%s touches %s"):format(command.text, texts[k].text)
      end
    end
  end
end

--- nil, or what is wrong with a text as XML: tags that are not closed, attributes without quotes, bare & and <.
function M.xml_fault(xml)
  local open = {}
  for text, tag in xml:gsub("^<%?xml.-%?>", ""):gmatch("([^<]*)(<[^>]*>)") do
    if text:gsub("&%a+;", ""):find("[&>]") then return "bare character in " .. text end
    local closing, name, rest, alone = tag:match("^<(/?)([%a:]+)(.-)(/?)>$")
    if not name then return "not a tag: " .. tag end
    local left = rest:gsub("%s+[%a:%-]+=\"[^\"<]*\"", "")
    if left:find("%S") then return "not attributes: " .. rest end
    if closing == "/" then
      if table.remove(open) ~= name then return "closed too early: " .. name end
    elseif alone == "" then
      open[#open + 1] = name
    end
  end
  return open[1] and open[1] .. " is not closed" or nil
end

return M
