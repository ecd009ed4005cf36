--- The page that `make reproduce` leaves: every number and picture beside the published one, in one file.
--
-- No script, no font, no request: it can be mailed.  It follows the reader's light or dark setting and fits a phone.
local html = require "support.html"

local M = {}

local STYLE <const> = [[
:root { color-scheme: light dark; --page: #fbfbf9; --text: #1b1f24; --soft: #5b6470; --line: #d9dcd6; --mark: #0b6bb5; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14171a; --text: #e6e8ea; --soft: #9aa4ae; --line: #333a41; --mark: #6cb6f5; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem 1rem 4rem; background: var(--page); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.25rem; margin: 2.8rem 0 .3rem; padding-top: 1rem; border-top: 1px solid var(--line); }
p { margin: .4rem 0 .9rem; max-width: 46rem; }
.soft, figcaption, .missing { color: var(--soft); font-size: .9rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .95rem; font-variant-numeric: tabular-nums; margin: .6rem 0 1rem; }
th, td { text-align: left; padding: .35rem .9rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 600; white-space: nowrap; }
td:nth-child(2) { font-weight: 650; }

figure { margin: 1rem 0 1.4rem; }
img { max-width: 100%; height: auto; background: #fff; padding: .4rem; border-radius: .4rem;
  border: 1px solid var(--line); }
a { color: var(--mark); }
.time { white-space: nowrap; }
@media (max-width: 40rem) {  /* a row of four cells has its remark below the others */
  table:has(th:nth-child(4)) { width: 100%; }
  tr:has(> :nth-child(4)) { display: grid; grid-template-columns: 3fr 2fr 2fr; border-bottom: 1px solid var(--line); }
  tr:has(> :nth-child(4)) > * { border: 0; }
  td:nth-child(4) { grid-column: 1 / -1; padding-top: 0; color: var(--soft); }
  th:nth-child(4), td:nth-child(4):empty { display: none; }
}
code { font: .9em ui-monospace, "DejaVu Sans Mono", monospace; }
.word { white-space: nowrap; }
]]

local function duration(seconds)
  return ("%d min %02d s"):format(seconds // 60, math.floor(seconds % 60))
end

-- A command, whose lines end between its words: browsers would end one behind the dashes of an option, too.
local function command(text)
  local words = html.escape(text):gsub("[^ ]+", function(word)
    return word:find("^%-") and html.element("span", word, 'class="word"') or word
  end)
  return html.element("code", words)
end

-- Each row: what, ours, published, remark; the first two are there always.
local function numbers_table(rows)
  local cells = {}
  for i, row in ipairs(rows) do
    local words = { row.what, row.ours, row.published or "–", row.remark or "" }
    for k, word in ipairs(words) do words[k] = html.escape(word) end
    cells[i] = words
  end
  return html.table({ "", "here", "published", "remark" }, cells)
end

local function section(stage)
  local parts = { html.element("h2", html.escape(stage.title), ('id="%s"'):format(stage.name)),
    html.element("p", html.escape(stage.question)),
    html.element("p", command(stage.command) .. html.escape(" · " .. duration(stage.seconds)
      .. ", " .. stage.finished), 'class="soft"') }
  if #stage.numbers > 0 then parts[#parts + 1] = numbers_table(stage.numbers) end
  for _, figure in ipairs(stage.figures) do parts[#parts + 1] = html.figure(figure.path, figure.caption) end
  return table.concat(parts, "\n")
end

-- Every number that was published, and the stage it belongs to.
local function summary(stages)
  local cells = {}
  for _, stage in ipairs(stages) do
    for _, row in ipairs(stage.numbers) do
      if row.published then
        local link = html.element("a", html.escape(row.what), ('href="#%s"'):format(stage.name))
        cells[#cells + 1] = { link, html.escape(row.ours), html.escape(row.published), html.escape(row.remark or "") }
      end
    end
  end
  return html.table({ "", "here", "published", "remark" }, cells)
end

local function times(stages)
  local rows, total = {}, 0
  for i, stage in ipairs(stages) do
    local link = html.element("a", html.escape(stage.title), ('href="#%s"'):format(stage.name))
    rows[i] = { link, html.element("span", duration(stage.seconds), 'class="time"') }
    total = total + stage.seconds
  end
  rows[#rows + 1] = { "all together", html.element("span", duration(total), 'class="time"') }
  return html.table({ "stage", "time" }, rows)
end

local function facts_table(facts)
  local rows = {}
  for i, fact in ipairs(facts) do rows[i] = { html.escape(fact[1]), html.escape(fact[2]) } end
  return html.table({ "", "" }, rows)
end

--- The whole page.
---@param page table  { title, lead, stages = { { name, title, question, command, seconds, finished, numbers,
---  figures = { { path, caption } } } }, facts = { { what, value } } }
---@return string
function M.page(page)
  local sections = {}
  for i, stage in ipairs(page.stages) do sections[i] = section(stage) end
  return table.concat({ '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    html.element("title", html.escape(page.title)), html.element("style", STYLE), "</head>\n<body>",
    html.element("h1", html.escape(page.title)), html.element("p", html.escape(page.lead)),
    html.element("h2", "Beside the publication"), summary(page.stages), times(page.stages),
    table.concat(sections, "\n"), html.element("h2", "Made with"), facts_table(page.facts),
    "</body>\n</html>\n" }, "\n")
end

return M
