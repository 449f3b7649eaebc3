" A file that ends in .cwl holds Couler, or YAML or JSON of the Common Workflow Language: its text says which.
function! s:Detect() abort
  for number in range(1, min([line('$'), 200]))
    let line = trim(getline(number))
    if line ==# '' || line =~# '^//'
      continue
    endif
    if line =~# '^\(#\|---\|{\|["'']\?[$[:alnum:]_]\+["'']\?\s*:\(\s\|$\)\)'
      setlocal filetype=yaml
      return
    endif
    break
  endfor
  setlocal filetype=couler
endfunction

autocmd BufRead,BufNewFile *.cwl call s:Detect()
autocmd BufRead,BufNewFile *.couler setlocal filetype=couler
