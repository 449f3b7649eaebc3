-- A session of Neovim with the plugin, from the first message to the last edit. Started without a screen:
--   nvim --headless -u NONE --cmd 'set rtp^=editors/neovim' -c 'luafile tests/editors/neovim_test.lua'
-- in the repository's folder, with `couler` on the PATH. Ends with 0 when all holds.

local patience = 20000 -- ms, for a machine under load; nothing waits longer than it has to

local program = [[
couler 1

/// Learns from rows.
task train(data: file<csv>, rate: float = 0.1) -> (model: file = "model.json", loss: float) {
    run python """
        loss = rate # "it's
        open(model, "w").close()
        """
}

workflow main(data: file<csv>) -> (model: file) {
    let fitted = train(data, rate: "high")
    return   (model: fitted.model)
}
]]

local function same(found, expected, what)
  if not vim.deep_equal(found, expected) then
    error(("%s: expected %s, found %s"):format(what, vim.inspect(expected), vim.inspect(found)), 2)
  end
end

local function wait(condition, what)
  if not vim.wait(patience, condition, 10) then
    error("waited in vain for " .. what, 2)
  end
end

local folder = vim.fn.tempname()
vim.fn.mkdir(folder .. "/.couler", "p")
local function write(name, text)
  local path = folder .. "/" .. name
  vim.fn.writefile(vim.split(text, "\n"), path)
  return path
end

local running = vim.lsp.get_clients or vim.lsp.get_active_clients

local function client()
  return running()[1]
end

local function ask(method, params)
  local arguments = { method, params, patience, 0 }
  if vim.fn.has("nvim-0.11") == 1 then
    table.insert(arguments, 1, client())
  end
  local reply, problem = client().request_sync(unpack(arguments))
  if not reply then
    error(method .. ": " .. tostring(problem), 2)
  end
  if reply.err then
    error(method .. ": " .. vim.inspect(reply.err), 2)
  end
  return reply.result
end

--- Where a text of the buffer is: its line, from 0, and its column, in bytes (here all are ASCII).
local function place(text, more)
  for i, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
    local column = line:find(text, 1, true)
    if column then
      return { line = i - 1, character = column - 1 + (more or 0) }
    end
  end
  error(text .. " is not in the buffer", 2)
end

local function at(position)
  return { textDocument = { uri = vim.uri_from_bufnr(0) }, position = position }
end

local function lines()
  return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n")
end

--- The names of the highlighting at a text, outermost first.
local function colours(text, more)
  local position = place(text, more)
  return vim.tbl_map(function(id)
    return vim.fn.synIDattr(id, "name")
  end, vim.fn.synstack(position.line + 1, position.character + 1))
end

local tests = {}

function tests.opens_a_program()
  vim.cmd("edit " .. write("main.cwl", program))
  same(vim.bo.filetype, "couler", "its file type")
  same(vim.bo.commentstring, "// %s", "how comments are written")
  same(vim.bo.shiftwidth, 4, "its indentation")
  wait(function()
    return client() and client().server_capabilities and client().server_capabilities.hoverProvider
  end, "the server")
  same(client().config.root_dir, folder, "its root")
  wait(function()
    return vim.bo.omnifunc == "v:lua.vim.lsp.omnifunc"
  end, "the attachment")
end

function tests.shows_what_is_wrong()
  wait(function()
    return #vim.diagnostic.get(0) > 0
  end, "messages")
  local found = vim.diagnostic.get(0)
  same(#found, 1, "messages")
  same(found[1].severity, vim.diagnostic.severity.ERROR, "severity")
  same({ found[1].lnum, found[1].col }, { place('"high"').line, place('"high"').character }, "its place")
  assert(found[1].message:find("float", 1, true), found[1].message)
end

function tests.hovers()
  local found = ask("textDocument/hover", at(place("train(data, rate", 1)))
  assert(found.contents.value:find("Learns from rows", 1, true), vim.inspect(found))
  assert(found.contents.value:find("loss: float", 1, true), vim.inspect(found))
end

function tests.goes_to_definitions()
  vim.fn.cursor(place("train(data, rate").line + 1, place("train(data, rate").character + 2)
  vim.lsp.buf.definition()
  local there = place("train(data: file")
  wait(function()
    return vim.deep_equal(vim.api.nvim_win_get_cursor(0), { there.line + 1, there.character })
  end, "the cursor at the task")
end

function tests.completes()
  local row = place("return   (model: fitted.model)")
  vim.fn.cursor(row.line + 1, row.character + #"return   (model: fitted." + 1)
  local labels = {}
  local found = ask("textDocument/completion", at({ line = row.line, character = row.character + #"return   (model: fitted." }))
  for _, item in ipairs(found.items or found) do
    labels[item.label] = true
  end
  assert(labels.model and labels.loss, vim.inspect(found))
end

function tests.typing_brings_new_messages()
  local row = place('"high"')
  vim.api.nvim_buf_set_text(0, row.line, row.character, row.line, row.character + #'"high"', { "0.5" })
  wait(function()
    return #vim.diagnostic.get(0) == 0
  end, "no message")
end

function tests.lists_references()
  local let, use = place("fitted = train"), place("fitted.model")
  vim.fn.cursor(let.line + 1, let.character + 1)
  vim.lsp.buf.references()
  wait(function()
    return vim.bo.buftype == "quickfix"
  end, "the list of references")
  vim.cmd("cclose")
  local found = vim.tbl_map(function(one)
    return { one.lnum - 1, one.col - 1 }
  end, vim.fn.getqflist())
  same(found, { { let.line, let.character }, { use.line, use.character } }, "references")
end

function tests.renames()
  vim.fn.cursor(place("fitted").line + 1, place("fitted").character + 1)
  vim.lsp.buf.rename("learned")
  wait(function()
    return not lines():find("fitted", 1, true)
  end, "the new name")
  local _, count = lines():gsub("learned", "")
  same(count, 2, "names changed")
end

function tests.applies_code_actions()
  local let = place("let learned")
  vim.api.nvim_buf_set_lines(0, let.line, let.line, false, { "    let spare = 1" })
  wait(function()
    return #vim.diagnostic.get(0) == 1
  end, "the message on what is unused")
  vim.fn.cursor(let.line + 1, place("spare").character + 1)
  local choose, offered = vim.ui.select, {}
  vim.ui.select = function(items, options, chosen)
    for _, item in ipairs(items) do
      local title = options.format_item(item)
      table.insert(offered, title)
      if title:find("_spare", 1, true) then
        return chosen(item)
      end
    end
    chosen(nil)
  end
  vim.lsp.buf.code_action()
  wait(function()
    return lines():find("let _spare = 1", 1, true) ~= nil
  end, "the fix; offered were " .. vim.inspect(offered))
  vim.ui.select = choose
  wait(function()
    return #vim.diagnostic.get(0) == 0
  end, "no message")
  vim.api.nvim_buf_set_lines(0, let.line, let.line + 1, false, {})
end

function tests.formats()
  if vim.lsp.buf.format then
    vim.lsp.buf.format({ async = false, timeout_ms = patience })
  else
    vim.lsp.buf.formatting_sync(nil, patience)
  end
  assert(lines():find("    return (model: learned.model)", 1, true), lines())
end

function tests.lenses_call_the_commands()
  local found = ask("textDocument/codeLens", { textDocument = { uri = vim.uri_from_bufnr(0) } })
  local named = {}
  for _, lens in ipairs(found) do
    named[lens.command.command] = lens.command.arguments
    assert(vim.lsp.commands[lens.command.command], lens.command.command .. " has no function")
  end
  same(named["couler.plan"], { vim.uri_from_bufnr(0), "main" }, "arguments of the lens")
end

function tests.draws_what_is_edited()
  local opened
  vim.ui.open = function(path)
    opened = path
  end
  vim.cmd("CoulerGraph")
  wait(function()
    return opened
  end, "the picture")
  local function shows(text)
    return function()
      return table.concat(vim.fn.readfile(opened), "\n"):find(text, 1, true) ~= nil
    end
  end
  wait(shows(">train<"), "the step in the picture")
  local before = vim.api.nvim_buf_get_lines(0, 0, -1, false)
  vim.cmd("%s/\\<train\\>/fit/g")
  vim.cmd("doautocmd TextChanged")
  wait(shows(">fit<"), "its new name")
  vim.api.nvim_buf_set_lines(0, 0, -1, false, before)
end

function tests.runs_in_a_terminal()
  local before = vim.api.nvim_get_current_win()
  vim.cmd("CoulerTest")
  same(vim.bo.buftype, "terminal", "the window below")
  wait(function()
    return lines():find("0 passed, 0 failed", 1, true) ~= nil
  end, "what `couler test` says")
  vim.cmd("bdelete!")
  vim.api.nvim_set_current_win(before)
end

function tests.colours_programs()
  vim.cmd("syntax on")
  vim.cmd("doautocmd Syntax")
  same(colours("task train"), { "coulerDeclaration" }, "task")
  same(colours("train(data: file"), { "coulerFunctionName" }, "its name")
  same(colours("file<csv>"), { "coulerType" }, "a type")
  same(colours("/// Learns"), { "coulerDoc" }, "a comment")
  same(colours("let "), { "coulerStorage" }, "let")
  same(colours("0.1)"), { "coulerNumber" }, "a number")
  same(colours("loss = rate")[1], "coulerPythonBlock", "a script")
  same(colours('"it\'s')[1], "coulerPythonBlock", "a script")
  same(colours("workflow main"), { "coulerDeclaration" }, "behind a script")
end

function tests.indents()
  vim.cmd("new")
  vim.bo.filetype = "couler"
  local typed = { "couler 1", "", "task t() {", "run sh \"\"\"", "echo", "\"\"\"", "retry 2", "}" }
  vim.api.nvim_buf_set_lines(0, 0, -1, false, typed)
  vim.cmd("normal! gg=G")
  same(
    vim.api.nvim_buf_get_lines(0, 0, -1, false),
    { "couler 1", "", "task t() {", "    run sh \"\"\"", "        echo", "        \"\"\"", "    retry 2", "}" },
    "indentation"
  )
  vim.cmd("bdelete!")
end

function tests.leaves_common_workflow_language_alone()
  vim.cmd("new " .. write("tool.cwl", "#!/usr/bin/env cwl-runner\ncwlVersion: v1.2\nclass: CommandLineTool\n"))
  same(vim.bo.filetype, "yaml", "its file type")
  vim.cmd("bdelete!")
  vim.cmd("new " .. write("other.couler", "couler 1\n"))
  same(vim.bo.filetype, "couler", "its file type")
  vim.cmd("bdelete!")
end

function tests.shares_one_server()
  vim.cmd("new " .. write("second.cwl", "couler 1\n\nfn f() -> int = nothing\n"))
  wait(function()
    return #vim.diagnostic.get(0) > 0
  end, "messages of the second file")
  local roots = vim.tbl_map(function(one)
    return one.config.root_dir
  end, running())
  same(#vim.tbl_filter(function(root)
    return root == folder
  end, roots), 1, "servers of the folder")
end

local order = {
  "opens_a_program", "shows_what_is_wrong", "hovers", "goes_to_definitions", "completes", "typing_brings_new_messages",
  "lists_references", "renames", "applies_code_actions", "formats", "lenses_call_the_commands", "draws_what_is_edited",
  "runs_in_a_terminal", "colours_programs", "indents",
  "leaves_common_workflow_language_alone", "shares_one_server",
}
local failed = 0
for _, name in ipairs(order) do
  local held, problem = xpcall(tests[name], debug.traceback)
  io.write(held and "ok   " or "FAIL ", name, "\n", held and "" or problem .. "\n")
  failed = failed + (held and 0 or 1)
end
same(vim.tbl_count(tests), #order, "tests in order")
vim.fn.delete(folder, "rf")
vim.cmd(failed == 0 and "qall!" or "cquit 1")
