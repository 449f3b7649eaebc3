--- The language server of Couler, and its commands, for Neovim 0.7 and later.
local M = {}

local options = {
  cmd = "couler", -- a name on the PATH, or a file
  on_attach = nil, -- function(client, buffer)
  capabilities = nil, -- of the client, such as a completion plugin's
}

--- Changes the options above; without a call of it they are as they are.
function M.setup(given)
  options = vim.tbl_extend("force", options, given or {})
end

local function root_of(buffer)
  local path = vim.api.nvim_buf_get_name(buffer)
  local folder = path == "" and vim.fn.getcwd() or vim.fn.fnamemodify(path, ":p:h")
  local at = folder
  repeat
    for _, mark in ipairs({ ".git", ".couler" }) do
      if vim.loop.fs_stat(at .. "/" .. mark) then
        return at
      end
    end
    local below = at
    at = vim.fn.fnamemodify(at, ":h")
  until at == below
  return folder
end

local clients = {} -- before 0.8: by root

local function start(config, buffer)
  if vim.lsp.start then
    return vim.lsp.start(config, { bufnr = buffer })
  end
  local id = clients[config.root_dir]
  if not id then
    config.on_exit = function()
      clients[config.root_dir] = nil
    end
    id = vim.lsp.start_client(config)
    clients[config.root_dir] = id
  end
  if id then
    vim.lsp.buf_attach_client(buffer, id)
  end
  return id
end

local function on_attach(client, buffer)
  vim.bo[buffer].omnifunc = "v:lua.vim.lsp.omnifunc"
  vim.bo[buffer].tagfunc = "v:lua.vim.lsp.tagfunc"
  vim.bo[buffer].formatexpr = "v:lua.vim.lsp.formatexpr()"
  if options.on_attach then
    options.on_attach(client, buffer)
  end
end

--- Starts the server for a buffer, or joins the one of its folder. Gives the client's id.
function M.attach(buffer)
  if buffer == 0 then
    buffer = vim.api.nvim_get_current_buf()
  end
  if vim.bo[buffer].buftype ~= "" then
    return nil
  end
  if vim.fn.executable(options.cmd) == 0 then
    local hint = "`%s` is not on the PATH; require('couler').setup({ cmd = … }) names the command"
    vim.notify_once(hint:format(options.cmd), vim.log.levels.WARN)
    return nil
  end
  return start({
    name = "couler",
    cmd = { options.cmd, "lsp" },
    root_dir = root_of(buffer),
    capabilities = options.capabilities or vim.lsp.protocol.make_client_capabilities(),
    on_attach = on_attach,
  }, buffer)
end

--- `couler verb file [words]` in a terminal below. An argument vector: no shell reads it.
local function in_terminal(verb, path, words)
  local buffer = vim.fn.bufnr(path)
  if buffer > 0 and vim.bo[buffer].modified then
    vim.api.nvim_buf_call(buffer, function()
      vim.cmd("write")
    end)
  end
  local vector = { options.cmd, verb, path }
  vim.list_extend(vector, words)
  vim.cmd("botright new")
  local place = { cwd = vim.fn.fnamemodify(path, ":h") }
  if vim.fn.has("nvim-0.11") == 1 then
    place.term = true
    vim.fn.jobstart(vector, place)
  else
    vim.fn.termopen(vector, place)
  end
end

-- What the lenses above workflows and tests call, with a document and a name.
for _, verb in ipairs({ "run", "plan", "test" }) do
  vim.lsp.commands["couler." .. verb] = function(command)
    local path = vim.uri_to_fname(command.arguments[1])
    in_terminal(verb, path, verb == "test" and {} or { command.arguments[2] })
  end
  local name = "Couler" .. verb:sub(1, 1):upper() .. verb:sub(2)
  vim.api.nvim_create_user_command(name, function(given)
    in_terminal(verb, vim.api.nvim_buf_get_name(0), given.fargs)
  end, { nargs = "*", desc = "couler " .. verb .. " on this file" })
end

-- The page may load and run nothing; it is read anew each second.
local page = [[<!DOCTYPE html>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta http-equiv="refresh" content="1">
<title>%s</title>
]]

--- Asks for the graph of a buffer as it stands. Where it has none the page stays as it is.
local function draw(buffer, path, drawn)
  local about = { textDocument = { uri = vim.uri_from_bufnr(buffer) } }
  vim.lsp.buf_request(buffer, "couler/graph", about, function(problem, result)
    if problem or type(result) ~= "table" or not result.svg then
      return drawn(false)
    end
    local file = assert(io.open(path, "w"))
    file:write(page:format(vim.fn.fnamemodify(vim.api.nvim_buf_get_name(buffer), ":t")), result.svg)
    file:close()
    drawn(true)
  end)
end

local drawings = {} -- by buffer: the page

vim.api.nvim_create_user_command("CoulerGraph", function()
  local buffer = vim.api.nvim_get_current_buf()
  local path = drawings[buffer] or vim.fn.tempname() .. ".html"
  draw(buffer, path, function(good)
    if not good then
      return vim.notify("no graph: the program has mistakes, or no one workflow that no other calls", vim.log.levels.WARN)
    end
    if not drawings[buffer] then
      drawings[buffer] = path
      vim.api.nvim_create_autocmd({ "TextChanged", "InsertLeave", "CursorHoldI" }, {
        buffer = buffer,
        callback = function()
          draw(buffer, path, function() end)
        end,
      })
    end
    if vim.ui.open then
      vim.ui.open(path)
    else
      vim.fn.jobstart({ vim.fn.has("mac") == 1 and "open" or "xdg-open", path }, { detach = true })
    end
  end)
end, { desc = "draw this buffer's workflow, anew while it is edited" })

-- Definitions may lie in a standard module, whose text the server has.
vim.api.nvim_create_autocmd("BufReadCmd", {
  pattern = "couler-std:/*",
  callback = function(event)
    local module = event.match:match("([%w_]+)%.cwl$")
    for _, client in ipairs((vim.lsp.get_clients or vim.lsp.get_active_clients)()) do
      if client.name == "couler" then
        local arguments = { "couler/standardModule", { module = module }, 2000, event.buf }
        if vim.fn.has("nvim-0.11") == 1 then
          table.insert(arguments, 1, client) -- a method since then
        end
        local reply = client.request_sync(unpack(arguments))
        if reply and type(reply.result) == "string" then
          vim.api.nvim_buf_set_lines(event.buf, 0, -1, false, vim.split(reply.result, "\n"))
        end
        break
      end
    end
    vim.bo[event.buf].buftype = "nofile"
    vim.bo[event.buf].modifiable = false
    vim.bo[event.buf].filetype = "couler"
  end,
})

return M
