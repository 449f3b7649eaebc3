#!/usr/bin/env python3
"""Writes the highlighting of Couler for editors from the language's own tables.

usage: make_grammars.py [--check]

Words come from grammar/CoulerLexer.g4, what they mean where from frontend/parse/words.cpp, types from
frontend/sema/types.cpp, functions from ir/builtins.def. Made of them are editors/couler.tmLanguage.json
(TextMate: VS Code, Sublime Text, bat) and editors/neovim/syntax/couler.vim. With --check nothing is
written, and the exit status is 1 when a file is not what would be written.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Words:
    """The tables, each a list in the order of its source."""

    def __init__(self):
        lexer = self._read("grammar/CoulerLexer.g4")
        self.reserved = re.findall(r"^Kw\w+: '(\w+)';", lexer, re.M)
        made = re.search(r"^tokens \{(.*?)^\}", lexer, re.M | re.S).group(1)
        self.placed = [name.lower() for name in re.findall(r"\bKw(\w+)", made)]

        tables = self._read("frontend/parse/words.cpp")
        self.declarations = self._words(tables, "kDeclarations")
        self.task = self._words(tables, "kTask")
        self.transform = self._words(tables, "kTransform")
        self.statements = self._words(tables, "kStatements")
        self.units = self._words(tables, "kUnits")

        types = self._read("frontend/sema/types.cpp")
        self.types = re.findall(r'SimpleType\{"(\w+)"', types) + self._words(types, "kGeneric")
        rows = re.findall(r'^BUILTIN\(\w+, "([a-z]\w*)"', self._read("ir/builtins.def"), re.M)
        self.functions = [name for name in dict.fromkeys(rows) if name not in self.reserved]
        for name, table in vars(self).items():
            if not table:
                sys.exit(f"make_grammars.py: no {name} found; has their file another form now?")

        self.constants = ["true", "false", "none"]
        self.operators = ["and", "or", "not", "div", "in"]
        self.control = [w for w in self.reserved if w not in self.constants + self.operators
                        and w not in ("let", "import", "fn")]
        # Words with a meaning between two names, or behind a bracket.
        begins = set(self.declarations + self.task + self.transform + self.statements)
        self.infix = [w for w in self.placed if w not in begins
                      and w not in ("sh", "python", "expect", "vote", "tune", "by")] + ["where"]

    @staticmethod
    def _read(path):
        return (ROOT / path).read_text(encoding="utf-8")

    @staticmethod
    def _words(text, table):
        found = re.search(table + r"(?:\[\])?\s*(?:=\s*)?\{(.*?)\};", text, re.S)
        return re.findall(r'"(\w+)"', found.group(1)) if found else []


def any_of(words):
    return "(?:" + "|".join(words) + ")"


def textmate(words):
    name = r"[A-Za-z_]\w*"
    # Not a member, an argument's name, a column or a call of that name.
    alone = r"(?!\(|\s*[:.,)?!<>+*/%|\]}=])"
    item = r"(?:^[ \t]*|(?<=[{;])[ \t]*)"
    after_operand = r"(?:(?<=[\w)\]}\">?][ \t])|^[ \t]+)"

    def match(scope, pattern, **captures):
        rule = {"match": pattern}
        if scope:
            rule["name"] = scope
        if captures:
            rule["captures"] = {k[1:]: {"name": v} for k, v in captures.items()}
        return rule

    def include(*names):
        return [{"include": "#" + one} for one in names]

    def script(language, scope, content):
        body = {"name": content, "patterns": [{"include": scope}]}
        return {
            "begin": item + r"(run)[ \t]+(" + language + r')[ \t]*(""")',
            "beginCaptures": {"1": {"name": "keyword.other.couler"},
                              "2": {"name": "keyword.other.language.couler"},
                              "3": {"name": "punctuation.definition.string.begin.couler"}},
            "end": '"""',
            "endCaptures": {"0": {"name": "punctuation.definition.string.end.couler"}},
            "patterns": [
                # Lines without an end mark: `while` ends them whatever the script has left open.
                {"begin": r'\G(?!.*""")', "while": r'^(?!.*""")', "contentName": content,
                 "patterns": [{"include": scope}]},
                {"match": r'.+?(?=""")', "captures": {"0": body}},
            ],
        }

    declaration = "keyword.declaration.couler"
    return {
        "name": "Couler",
        "scopeName": "source.couler",
        "fileTypes": ["couler", "cwl"],
        "firstLineMatch": r"^couler\s+\d+",
        "patterns": include("comments", "edition", "declarations", "expressions"),
        "repository": {
            "comments": {"patterns": [
                {"begin": r"///(?!/)", "end": "$", "name": "comment.line.documentation.couler",
                 "beginCaptures": {"0": {"name": "punctuation.definition.comment.couler"}},
                 "patterns": [match("markup.inline.raw.couler", r"`[^`]*`")]},
                {"begin": "//", "end": "$", "name": "comment.line.double-slash.couler",
                 "beginCaptures": {"0": {"name": "punctuation.definition.comment.couler"}}},
            ]},
            "edition": match(None, r"^\s*(couler)\s+(\d+)\s*(?=$|//)",
                             _1="keyword.control.edition.couler", _2="constant.numeric.edition.couler"),
            "declarations": {"patterns": [
                match(None, r"^\s*(import)\s+(std)\.(" + name + ")",
                      _1="keyword.control.import.couler", _2="support.module.couler",
                      _3="entity.name.namespace.couler"),
                match("keyword.control.import.couler", r"^\s*import\b" + alone),
                match(None, r"^\s*(enum|schema)\s+(" + name + ")", _1=declaration, _2="entity.name.type.couler"),
                match(None, r"^\s*(?:(volatile)\s+)?(" + "|".join(
                    w for w in words.declarations if w not in ("import", "enum", "schema", "volatile", "test"))
                    + r")\s+(" + name + r")(?=\s*[(={]|\s*$)",
                      _1="storage.modifier.couler", _2=declaration, _3="entity.name.function.couler"),
                match(None, r'^\s*(test)\s+(?=")', _1=declaration),
            ]},
            "expressions": {"patterns": include(
                "comments", "scripts", "strings", "numbers", "members", "statements", "arguments", "words",
                "types", "calls", "operators")},
            "scripts": {"patterns": [
                script("python", "source.python", "meta.embedded.block.python"),
                script("sh", "source.shell", "meta.embedded.block.shell"),
            ]},
            "strings": {"patterns": [
                {"name": "string.quoted.triple.couler", "begin": '"""', "end": '"""',
                 "beginCaptures": {"0": {"name": "punctuation.definition.string.begin.couler"}},
                 "endCaptures": {"0": {"name": "punctuation.definition.string.end.couler"}}},
                {"name": "string.regexp.couler", "begin": r'\br"', "end": r'"|$',
                 "beginCaptures": {"0": {"name": "punctuation.definition.string.begin.couler"}},
                 "endCaptures": {"0": {"name": "punctuation.definition.string.end.couler"}},
                 "patterns": [match("constant.character.escape.regexp.couler", r"\\.")]},
                {"name": "string.quoted.double.couler", "begin": '"', "end": r'"|$',
                 "beginCaptures": {"0": {"name": "punctuation.definition.string.begin.couler"}},
                 "endCaptures": {"0": {"name": "punctuation.definition.string.end.couler"}},
                 "patterns": [
                     match("constant.character.escape.couler", r"\\u\{[0-9A-Fa-f]*\}|\\."),
                     {"name": "meta.interpolation.couler", "contentName": "source.couler",
                      "begin": r"\{", "end": r"\}|(?=$)",
                      "beginCaptures": {"0": {"name": "punctuation.section.interpolation.begin.couler"}},
                      "endCaptures": {"0": {"name": "punctuation.section.interpolation.end.couler"}},
                      "patterns": include("expressions")},
                 ]},
            ]},
            "numbers": {"patterns": [
                match(None, r"\b(\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d[\d_]*)?)(?:[ \t]*(" + any_of(words.units)
                      + r")\b(?!\s*:))?", _1="constant.numeric.couler", _2="keyword.other.unit.couler"),
            ]},
            "members": match(None, r"(\??\.)(" + name + r")\b(?!\s*\()",
                             _1="punctuation.accessor.couler", _2="variable.other.member.couler"),
            "statements": {"patterns": [
                match(None, r"\b(let)\s+(" + name + ")",
                      _1="storage.type.couler", _2="variable.other.readonly.couler"),
                match("storage.type.couler", r"\blet\b"),
                match(None, item + r"(run)[ \t]+(sh|python)\b(?=[ \t]+\S)",
                      _1="keyword.other.couler", _2="keyword.other.language.couler"),
                match(None, item + r"(expect|vote)\b(?=[ \t]+[^ \t:.,)=])", _1="keyword.control.couler"),
                match(None, item + r"((?:group|order)[ \t]+by)\b", _1="keyword.other.couler"),
                match(None, item + r"((?:(?:left|semi|anti)[ \t]+)?join)\b(?=[ \t]+\w)", _1="keyword.other.couler"),
                match(None, item + r"(" + any_of(dict.fromkeys(words.task + words.transform))
                      + r")\b(?=\s*[\[{]|\s+[^\s=:.,)]|\s*$)", _1="keyword.other.couler"),
                # `order by a desc, b`: another key may follow.
                match(None, after_operand + r"(asc|desc)\b(?=\s*,)", _1="keyword.other.couler"),
                match(None, after_operand + r"(" + any_of(words.infix) + r")\b" + alone, _1="keyword.other.couler"),
                match(None, r"\b(tune)\b(?=\s+[A-Za-z_])", _1="keyword.control.couler"),
            ]},
            "arguments": match(None, r"\b(" + name + r")\s*(:)(?!:)",
                               _1="variable.parameter.couler", _2="punctuation.separator.couler"),
            "words": {"patterns": [
                match("constant.language.couler", r"\b" + any_of(words.constants) + r"\b"),
                match("keyword.operator.word.couler", r"\b" + any_of(words.operators) + r"\b"),
                match("keyword.control.couler", r"\b" + any_of(words.control) + r"\b"),
            ]},
            "types": {"patterns": [
                match("support.type.couler", r"\b" + any_of(words.types) + r"\b(?!\s*\()"),
                match("entity.name.type.couler", r"\b[A-Z][a-z]\w*\b"),
            ]},
            "calls": {"patterns": [
                match("support.function.couler", r"\b" + any_of(words.functions) + r"(?=\()"),
                match("entity.name.function.call.couler", r"\b" + name + r"(?=\()"),
            ]},
            "operators": {"patterns": [
                match("keyword.operator.couler",
                      r"->|\|>|\?\?|\?\.|\.\.\.|\.\.|\*\*|==|!=|<=|>=|[=<>+\-*/%?]"),
            ]},
        },
    }


VIM = r'''" Vim syntax file
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
syn keyword coulerStatement @control@
syn keyword coulerOperator @operators@
syn keyword coulerBoolean true false
syn keyword coulerConstant none
syn keyword coulerInclude import
syn keyword coulerStorage let

" Words that mean something in their places only.
syn match coulerInfix "\%(\k\|[])}>?\"]\)\@1<=\s\+\zs\%(@infix@\)\>\%(\s*\%([:.(,)?]\|=[^=]\)\)\@!"
syn match coulerInfix "\%(\k\|[])}>?\"]\)\@1<=\s\+\zs\%(asc\|desc\)\>\%(\s*,\)\@="
syn match coulerInfix "^\s\+\zs\%(@infix@\)\>\%(\s*\%([:.(,)?]\|=[^=]\)\)\@!"
syn match coulerAttribute "^\s*\zs\%(@attributes@\)\>\ze\%(\s*[[{]\|\s\+[^ =:.,)]\|\s*$\)"
syn match coulerAttribute "\<\%(group\|order\)\s\+by\>"
syn match coulerAttribute "\<\%(\%(left\|semi\|anti\)\s\+\)\=join\>\ze\s\+\k"
syn match coulerStatement "^\s*\zs\%(expect\|vote\)\>\ze\s*[^:.,)= ]"
syn match coulerStatement "\<tune\>\ze\s\+\k"
syn match coulerEdition "^\s*couler\s\+\d\+\ze\s*\%($\|//\)"

syn match coulerDeclaration "^\s*\zs\%(enum\|schema\)\ze\s\+\k" nextgroup=coulerTypeName skipwhite
syn match coulerDeclaration "^\s*\zs\%(volatile\s\+\)\=\%(@declarations@\)\ze\s\+\k\+\s*\%([(={]\|$\)" nextgroup=coulerFunctionName skipwhite
syn match coulerDeclaration "^\s*\zstest\ze\s\+\""
syn match coulerTypeName "\k\+" contained
syn match coulerFunctionName "\k\+" contained

syn match coulerType "\<\%(@types@\)\>\%(\s*(\)\@!"
syn match coulerTypeReference "\<\u\l\w*\>"
syn match coulerBuiltin "\<\%(@functions@\)\ze("
syn match coulerMember "\%(\.\.\)\@2<!?\=\.\zs\h\w*\>\%(\s*(\)\@!"

syn match coulerNumber "\<\d[0-9_]*\%(\.\d[0-9_]*\)\=\%([eE][+-]\=\d[0-9_]*\)\=" nextgroup=coulerUnit skipwhite
syn match coulerUnit "\%(@units@\)\>\%(\s*:\)\@!" contained

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
'''


def vim(words):
    own = ("if", "else", "for", "loop", "until")
    branches = r"\|".join

    def fill(**tables):
        return re.sub(r"@([a-z]+)@", lambda place: tables[place.group(1)], VIM)

    return fill(
        control=" ".join(w for w in words.control if w not in own),
        operators=" ".join(words.operators),
        infix=branches(words.infix),
        attributes=branches(dict.fromkeys(words.task + words.transform)),
        declarations=branches(w for w in words.declarations
                              if w not in ("import", "enum", "schema", "volatile", "test")),
        types=branches(words.types),
        functions=branches(words.functions),
        units=branches(words.units),
    )


def main():
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit(__doc__)
    words = Words()
    files = {
        "editors/couler.tmLanguage.json": json.dumps(
            {"$comment": "Made by editors/make_grammars.py; edits here are lost.", **textmate(words)}, indent=2) + "\n",
        "editors/neovim/syntax/couler.vim": vim(words),
    }
    stale = []
    for path, text in files.items():
        file = ROOT / path
        if file.is_file() and file.read_text(encoding="utf-8") == text:
            continue
        stale.append(path)
        if not check:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    if check and stale:
        sys.exit(f"not what the language's tables say: {', '.join(stale)}; run editors/make_grammars.py")


if __name__ == "__main__":
    main()
