" Vim syntax file
" Language: Couler
" Made by editors/make_grammars.py; edits here are lost.

if exists("b:current_syntax")
  finish
endif

let s:cpo = &cpo
set cpo&vim

syn case match
syn sync fromstart

syn keyword coulerConditional if else
syn keyword coulerRepeat for loop until
syn keyword coulerStatement try after finally return
syn keyword coulerOperator and or not div in
syn keyword coulerBoolean true false
syn keyword coulerConstant none
syn keyword coulerInclude import
syn keyword coulerStorage let

" Words that mean something in their places only.
syn match coulerInfix "\%(\k\|[])}>?\"]\)\@1<=\s\+\zs\%(as\|from\|max\|maximize\|minimize\|using\|prior\|without\|asc\|desc\|on\|when\|where\)\>\%(\s*\%([:.(,)?]\|=[^=]\)\)\@!"
syn match coulerInfix "\%(\k\|[])}>?\"]\)\@1<=\s\+\zs\%(asc\|desc\)\>\%(\s*,\)\@="
syn match coulerInfix "^\s\+\zs\%(as\|from\|max\|maximize\|minimize\|using\|prior\|without\|asc\|desc\|on\|when\|where\)\>\%(\s*\%([:.(,)?]\|=[^=]\)\)\@!"
syn match coulerAttribute "^\s*\zs\%(image\|resources\|env\|timeout\|retry\|cache\|run\|where\|group\|order\|limit\|distinct\|join\|left\|semi\|anti\)\>\ze\%(\s*[[{]\|\s\+[^ =:.,)]\|\s*$\)"
syn match coulerAttribute "\<\%(group\|order\)\s\+by\>"
syn match coulerAttribute "\<\%(\%(left\|semi\|anti\)\s\+\)\=join\>\ze\s\+\k"
syn match coulerStatement "^\s*\zs\%(expect\|vote\)\>\ze\s*[^:.,)= ]"
syn match coulerStatement "\<tune\>\ze\s\+\k"
syn match coulerEdition "^\s*couler\s\+\d\+\ze\s*\%($\|//\)"

syn match coulerDeclaration "^\s*\zs\%(enum\|schema\)\ze\s\+\k" nextgroup=coulerTypeName skipwhite
syn match coulerDeclaration "^\s*\zs\%(volatile\s\+\)\=\%(fn\|task\|workflow\|transform\|labeler\|target\)\ze\s\+\k\+\s*\%([(={]\|$\)" nextgroup=coulerFunctionName skipwhite
syn match coulerDeclaration "^\s*\zstest\ze\s\+\""
syn match coulerTypeName "\k\+" contained
syn match coulerFunctionName "\k\+" contained

syn match coulerType "\<\%(bool\|int\|float\|string\|timestamp\|duration\|size\|secret\|file\|dir\|list\|map\|table\)\>\%(\s*(\)\@!"
syn match coulerTypeReference "\<\u\l\w*\>"
syn match coulerBuiltin "\<\%(range\|float\|int\|string\|round\|floor\|ceil\|trunc\|abs\|min\|max\|clamp\|sum\|mean\|sqrt\|exp\|log\|log2\|log10\|sin\|cos\|pow\|is_nan\|length\|lower\|upper\|trim\|split\|lines\|join\|replace\|contains\|starts_with\|ends_with\|count\|substring\|repeat\|pad_left\|pad_right\|reverse\|matches\|find\|find_all\|extract\|replace_all\|sort\|distinct\|flatten\|concat\|append\|first\|last\|take\|drop\|slice\|zip\|enumerate\|index_of\|get\|any\|all\|keys\|values\|entries\|has\|file\|dir\|glob\|basename\|stem\|extension\|parent\|timestamp\|format_timestamp\|year\|month\|day\|hour\|minute\|second\|seconds\|bytes\|hash\)\ze("
syn match coulerMember "\%(\.\.\)\@2<!?\=\.\zs\h\w*\>\%(\s*(\)\@!"

syn match coulerNumber "\<\d[0-9_]*\%(\.\d[0-9_]*\)\=\%([eE][+-]\=\d[0-9_]*\)\=" nextgroup=coulerUnit skipwhite
syn match coulerUnit "\%(us\|ms\|s\|min\|h\|d\|B\|kB\|MB\|GB\|TB\|KiB\|MiB\|GiB\|TiB\)\>\%(\s*:\)\@!" contained

syn match coulerEscape "\\u{\x*}\|\\." contained
syn region coulerInterpolation matchgroup=coulerDelimiter start="{" end="}" end="$" contained oneline contains=TOP
syn region coulerString start=+"+ end=+"+ end="$" oneline contains=coulerEscape,coulerInterpolation
syn region coulerRegex start=+\<r"+ skip=+\\.+ end=+"+ end="$" oneline
syn region coulerRaw start=+"""+ end=+"""+

syn include @coulerShell syntax/sh.vim
unlet! b:current_syntax
syn include @coulerPython syntax/python.vim
unlet! b:current_syntax
syn region coulerShellBlock matchgroup=coulerLanguage start=+\<sh\s*"""+ end=+"""+ keepend contains=@coulerShell
syn region coulerPythonBlock matchgroup=coulerLanguage start=+\<python\s*"""+ end=+"""+ keepend contains=@coulerPython

syn match coulerComment "//.*" contains=coulerTodo,@Spell
syn match coulerDoc "///.*" contains=coulerCode,coulerTodo,@Spell
syn match coulerCode "`[^`]*`" contained
syn keyword coulerTodo TODO FIXME contained

hi def link coulerConditional Conditional
hi def link coulerRepeat Repeat
hi def link coulerStatement Statement
hi def link coulerOperator Operator
hi def link coulerBoolean Boolean
hi def link coulerConstant Constant
hi def link coulerInclude Include
hi def link coulerStorage Keyword
hi def link coulerInfix Keyword
hi def link coulerAttribute Keyword
hi def link coulerEdition PreProc
hi def link coulerDeclaration Structure
hi def link coulerTypeName Type
hi def link coulerTypeReference Type
hi def link coulerType Type
hi def link coulerFunctionName Function
hi def link coulerBuiltin Function
hi def link coulerMember Identifier
hi def link coulerNumber Number
hi def link coulerUnit Special
hi def link coulerEscape SpecialChar
hi def link coulerDelimiter Delimiter
hi def link coulerString String
hi def link coulerRegex String
hi def link coulerRaw String
hi def link coulerLanguage Special
hi def link coulerComment Comment
hi def link coulerDoc SpecialComment
hi def link coulerCode Special
hi def link coulerTodo Todo

let b:current_syntax = "couler"
let &cpo = s:cpo
unlet s:cpo
