-- gallery.lua -- the panel of image_grid: pictures in rows, with captions below, names of rows to the left and names of
-- columns above.
local core = require "perilune.core"
local text = require "perilune.plot.text"
local theme = require "perilune.plot.theme"

local Gallery = {}
Gallery.__index = Gallery

local GAP, SIZE = 6, 10

--- given: images (N, C, H, W), columns, title, and captions, row_names, column_names or nil
function Gallery.new(given) return setmetatable(given, Gallery) end

local function line_height(size)
  local _, ascent, descent = text.measure("0", size)
  return ascent + descent
end

-- What stands around the pictures.
local function frame_of(self)
  local head = self.title ~= "" and line_height(theme.title_size) + theme.gap or 0
  if self.column_names then head = head + line_height(theme.tick_size) + 4 end
  local side = self.row_names and text.widest(self.row_names, theme.tick_size) + 8 or 0
  return head, side, self.captions and line_height(SIZE) + 2 or 0
end

local function grid_of(self)
  local n = self.images.shape[1]
  return n, self.columns, math.max(1, math.ceil(n / self.columns)), self.images.shape[3] / self.images.shape[4]
end

--- How wide and high it is with pictures of that width.
function Gallery:size(side_of_picture)
  local head, side, caption = frame_of(self)
  local _, columns, rows, aspect = grid_of(self)
  return side + columns * (side_of_picture + GAP) - GAP,
    head + rows * (side_of_picture * aspect + caption + GAP) - GAP
end

function Gallery.margins() return { left = 0, top = 0, right = 0, bottom = 0 } end

-- The largest pictures that fit into the box.
local function picture_size(self, box)
  local head, side, caption = frame_of(self)
  local _, columns, rows, aspect = grid_of(self)
  local width = (box.width - side + GAP) / columns - GAP
  local height = (box.height - head + GAP) / rows - GAP - caption
  return math.max(math.min(width, height / aspect), 1)
end

local function draw_names(self, drawing, box, width, pitch)
  local head, side = frame_of(self)
  local _, ascent, descent = text.measure("0", theme.tick_size)
  if self.title ~= "" then
    local _, title_ascent = text.measure("0", theme.title_size, true)
    drawing:text(box.x, box.y + title_ascent, text.shortened(text.clean(self.title), theme.title_size, box.width, true),
      { size = theme.title_size, bold = true })
  end
  for c, name in ipairs(self.column_names or {}) do
    drawing:text(box.x + side + (c - 1) * (width + GAP) + width / 2, box.y + head - descent - 4,
      text.shortened(text.clean(name), theme.tick_size, width + GAP - 2), { anchor = 0.5 })
  end
  for r, name in ipairs(self.row_names or {}) do
    local middle = box.y + head + (r - 1) * pitch + width * select(4, grid_of(self)) / 2
    drawing:text(box.x + side - 8, middle + (ascent - descent) / 2, text.clean(name), { anchor = 1 })
  end
end

function Gallery:draw(drawing, box)
  local head, side, caption = frame_of(self)
  local n, columns, _, aspect = grid_of(self)
  local width = picture_size(self, box)
  local height = width * aspect
  local pitch = height + caption + GAP
  local _, ascent = text.measure("0", SIZE)
  draw_names(self, drawing, box, width, pitch)
  for i = 1, n do
    local x = box.x + side + (i - 1) % columns * (width + GAP)
    local y = box.y + head + (i - 1) // columns * pitch
    drawing:image(core.formats.dumps_png(self.images:select(1, i), 8), x, y, width, height, false)
    if self.captions then
      drawing:text(x + width / 2, y + height + ascent + 1,
        text.shortened(text.clean(self.captions[i]), SIZE, width + GAP - 2),
        { size = SIZE, color = theme.tick_ink, anchor = 0.5 })
    end
  end
end

return Gallery
