#!/bin/sh
# The plugin in a Neovim without a screen.
set -eu
command -v nvim >/dev/null || {
  echo "skipped: needs nvim (Debian's neovim)"
  exit 77
}
exec nvim --headless -u NONE -i NONE --cmd 'set rtp^=editors/neovim' --cmd 'filetype plugin indent on' \
  -c 'luafile tests/editors/neovim_test.lua'
