if exists("b:did_indent")
  finish
endif
let b:did_indent = 1

setlocal indentexpr=CoulerIndent(v:lnum) indentkeys=0},0],0),!^F,o,O autoindent
let b:undo_indent = "setlocal indentexpr< indentkeys< autoindent<"

if exists("*CoulerIndent")
  finish
endif

" One step in behind an open bracket or a `"""`, one step out for what closes; scripts keep what they have.
function! CoulerIndent(number) abort
  let before = prevnonblank(a:number - 1)
  if before == 0
    return 0
  endif
  let line = substitute(getline(before), '\s*//.*$', '', '')
  let indent = indent(before)
  if line =~# '[[({]\s*$' || line =~# '\<\(sh\|python\)\s*"""\s*$'
    let indent += shiftwidth()
  elseif line =~# '^\s*"""\s*$'
    let indent -= shiftwidth()
  endif
  if getline(a:number) =~# '^\s*[\])}]'
    let indent -= shiftwidth()
  endif
  return max([indent, 0])
endfunction
