-- Pictures in a terminal: what is written for each method, read back as a terminal would.
local core = require "perilune.core"
local perilune = require "perilune"
local terminal = require "perilune.terminal"
local image = perilune.image

local function sink()
  local pieces = {}
  return { write = function(self, ...)
    for _, piece in ipairs { ... } do pieces[#pieces + 1] = tostring(piece) end
    return self
  end, flush = function() end }, function() return table.concat(pieces) end
end

local function shown(picture, given)
  local stream, text = sink()
  given.stream = stream
  image.show(picture, given)
  return text()
end

-- Red, white / black, blue.
local function four()
  return perilune.tensor({ { { 255, 255 }, { 0, 0 } }, { { 0, 255 }, { 0, 0 } }, { { 0, 255 }, { 0, 255 } } },
    { dtype = "uint8" })
end

-- { [row] = { [column] = "r g b" in percent } } of a sixel stream.
local function decoded(text)
  local body = assert(text:match("^\27Pq(.*)\27\\\n$"))
  local names, rows, top, x, color = {}, {}, 1, 1, nil
  local at = select(2, body:find('^"1;1;%d+;%d+')) + 1
  while at <= #body do
    local _, stop, index, r, g, b = body:find("^#(%d+);2;(%d+);(%d+);(%d+)", at)
    local count, character
    if stop then names[index] = ("%s %s %s"):format(r, g, b)
    else
      _, stop, index = body:find("^#(%d+)", at)
      if stop then color = names[index]
      else
        _, stop, count, character = body:find("^!(%d+)(.)", at)
        if not stop then stop, count, character = at, 1, body:sub(at, at) end
        if character == "$" then x = 1
        elseif character == "-" then x, top = 1, top + 6
        else
          local bits = character:byte() - 63
          for _ = 1, count do
            for k = 0, 5 do
              if bits >> k & 1 == 1 then
                rows[top + k] = rows[top + k] or {}
                rows[top + k][x] = color
              end
            end
            x = x + 1
          end
        end
      end
    end
    at = stop + 1
  end
  return rows
end

describe("image.show", function()
  it("paints half blocks, in exact colours where the terminal has them", function()
    local blocks, stream, text = require "perilune.terminal.blocks", sink()
    blocks(four(), 2, stream, function() return "truecolor" end)
    assert.equal("\27[38;2;255;0;0m\27[48;2;0;0;0m▀\27[38;2;255;255;255m\27[48;2;0;0;255m▀\27[0m\n", text())
    stream, text = sink()
    blocks(four():narrow(2, 1, 1), 2, stream, function() return nil end)
    assert.equal("\27[38;5;196m\27[49m▀\27[38;5;231m\27[49m▀\27[0m\n", text())
  end)

  it("writes sixels that decode to the picture", function()
    local rows = decoded(shown(four(), { method = "sixel", columns = 2 }))
    assert.equal(20, #rows)
    for y = 1, 20 do
      assert.equal(20, #rows[y])
      for x = 1, 20 do
        local expected = y <= 10 and (x <= 10 and "100 0 0" or "100 100 100") or (x <= 10 and "0 0 0" or "0 0 100")
        assert.equal(expected, rows[y][x])
      end
    end
  end)

  it("hands kitty a PNG in pieces", function()
    local picture = perilune.randint(0, 255, 3, 50, 50):to("uint8")
    local text, payload, n = shown(picture, { method = "kitty", columns = 7 }), {}, 0
    for control, piece in text:gmatch("\27_G([^;]*);([^\27]*)\27\\") do
      n = n + 1
      assert.equal(n == 1, control:find("a=T,f=100,q=2,c=7,", 1, true) == 1)
      assert.equal(#piece == 4096, control:find("m=1$") ~= nil)
      payload[n] = piece
    end
    assert.is_true(n > 1)
    assert.matches("m=0;[^\27]*\27\\\n$", text)
    local base64 = require "perilune.base64"
    assert.equal(base64(core.formats.dumps_png(picture, 8)), table.concat(payload))
    for plain, coded in pairs { [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v", foobar = "Zm9vYmFy", ["\0\xff\xfe"] = "AP/+" } do
      assert.equal(coded, base64(plain))
    end
  end)

  it("takes gray, floats, transparency and batches", function()
    local white = "\27[38;5;231m\27[48;5;16m▀\27[0m\n"
    assert.equal(white, shown(perilune.tensor { { 1.0 }, { 0.0 } }, { method = "blocks" }))
    assert.equal(white, shown(perilune.tensor({ { { 99 }, { 0 } }, { { 0 }, { 255 } } }, { dtype = "uint8" }),
      { method = "blocks" }))                                -- transparent over white, opaque black
    assert.is_string(shown(perilune.rand(5, 1, 4, 4), { method = "blocks" }))
    local wide = shown(perilune.rand(3, 10, 400), { method = "blocks", columns = 30 })
    assert.equal(30, select(2, wide:gsub("▀", "")))
    for bad, message in pairs { [3] = "got 3", [perilune.ones(3)] = "(3)", [perilune.ones(1, 0)] = "(1, 0)" } do
      local fine, text = pcall(image.show, bad)
      assert.is_false(fine)
      assert.is_truthy(text:find(message, 1, true), text)
    end
    assert.error_matches(function() image.show(four(), { method = "ascii" }) end, "option method must be one of kitty")
    assert.error_matches(function() image.show(four(), { wide = 3 }) end, "unknown option 'wide'; known: method, columns")
  end)

  it("knows terminals by what they say of themselves", function()
    for _, case in ipairs { { "kitty", TERM = "xterm-kitty" }, { "kitty", TERM = "xterm-256color", KITTY_WINDOW_ID = "1" },
      { "kitty", TERM_PROGRAM = "WezTerm" }, { "sixel", TERM = "foot" }, { "blocks", TERM = "xterm-256color" },
      { "blocks", TERM = "screen-256color", KITTY_WINDOW_ID = "1" }, { "blocks" } } do
      assert.equal(case[1], terminal.method(function(name) return case[name] end))
    end
  end)

  it("says one line where stdout is no terminal", function()
    local pipe = assert(io.popen(([[LUA_PATH="lua/?.lua;lua/?/init.lua;;" LUA_CPATH='%s' lua5.4 -e '
      local perilune = require "perilune"
      perilune.image.show(perilune.ones(4, 6))
      if package.searchpath("perilune.canvas", package.cpath) then perilune.plot.line({ y = { 1 } }):show() end' 2>&1]])
      :format(package.cpath)))
    local output = pipe:read("a")
    pipe:close()
    assert.equal("a picture of 6 x 4 pixels; stdout is no terminal that could show it\n"
      .. "a picture of 640 x 440 pixels; stdout is no terminal that could show it\n", output)
  end)
end)
