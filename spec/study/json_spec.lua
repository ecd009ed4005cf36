-- The JSON of a study's database: exact numbers, Python's NaN, both kinds of strings.
local json = require "perilune.study.json"

describe("JSON", function()
  it("keeps integers, floats and all their bits apart", function()
    assert.equal("[1, 1.0, 0.1, 0.30000000000000004, -0.0, 9223372036854775807, 1e+300]",
      json.encode { 1, 1.0, 0.1, 0.1 + 0.2, -0.0, math.maxinteger, 1e300 })
    local read = json.decode("[1, 1.0, 1e2, 9223372036854775807, 0.30000000000000004, 123456789012345678901]")
    local kinds = {}
    for i, value in ipairs(read) do kinds[i] = math.type(value) end
    assert.same({ "integer", "float", "float", "integer", "float", "float" }, kinds)
    assert.same({ 1, 1.0, 100.0, math.maxinteger, 0.1 + 0.2, 123456789012345678901 }, read)
  end)

  it("speaks Python's NaN, Infinity and null", function()
    local read = json.decode("[NaN, Infinity, -Infinity, null, true, false]")
    assert.is_true(read[1] ~= read[1])
    assert.same({ math.huge, -math.huge, json.null, true, false }, table.move(read, 2, 6, 1, {}))
    assert.equal("[NaN, Infinity, -Infinity, null, true]", json.encode { 0 / 0, math.huge, -math.huge, json.null, true })
    assert.equal("null", tostring(json.null))
  end)

  it("escapes and unescapes", function()
    local text = "q\" b\\ \n\t\0 ü 漢 😀 '"
    assert.equal(text, json.decode(json.encode(text)))
    assert.equal("é😀 \\u00e9 \u{FFFD} /", json.decode([["\u00e9\ud83d\ude00 \\u00e9 \ud83d \/"]]))
    assert.equal([["a\"b\\\n\u0001"]], json.encode("a\"b\\\n\1"))
  end)

  it("reads and writes what is nested", function()
    local value = { a = { 1, { b = "x" }, {} }, ["key \""] = json.null }
    assert.same(value, json.decode(json.encode(value)))
    assert.equal('{"a": [1, 2], "b": {}}', json.encode { b = {}, a = { 1, 2 } })
    assert.same({ {}, { x = {} } }, json.decode(' [ [ ] , { "x" : { } } ] '))
  end)

  it("refuses what is no JSON", function()
    for _, text in ipairs { "", "[1,,2]", "[1", '{"a"}', '{"a" 1}', '{a: 1}', '"open', "1 2", "nul", "+1", "--1" } do
      assert.is_false(pcall(json.decode, text), text)
    end
    for _, value in ipairs { print, { [1] = 1, [3] = 3 }, { [1.5] = 1 }, "\xff", { a = { print } } } do
      assert.is_false(pcall(json.encode, value))
    end
  end)
end)
