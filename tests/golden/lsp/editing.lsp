// Completion, signatures, renaming, formatting, actions.

== disk tasks.cwl
couler 1

/// Learns.
task train(data: file<csv>, rate: float = 0.1) -> (model: file = "m.json") {
    run sh "cp $data $model"
}

== open main.cwl
couler 1

import "./tasks.cwl" { train }

workflow main(data: file<csv>, count: int) -> (model: file) {
    let fitted = tr«1»ain(data, «2»rate: «3»0.5«4»)
    let «5»unused«6» = 1
    return   (model: fitted.«7»model)
}
<- textDocument/publishDiagnostics {
  "diagnostics": [
    {
      "code": "CW0231",
      "message": "`unused` is never used",
      "range": "6:8-6:14",
      "severity": 2,
      "source": "couler",
      "tags": [1]
    }
  ],
  "uri": "root:/main.cwl",
  "version": 1
}

-> textDocument/completion «7»
<- {"isIncomplete":false,"items":[{"detail":"file","kind":5,"label":"model","sortText":"5model"}]}

-> textDocument/signatureHelp «2»
<- {
  "activeParameter": 1,
  "activeSignature": 0,
  "signatures": [
    {
      "documentation": {"kind":"markdown","value":"Learns."},
      "label": "train(data: file<csv>, rate: float = 0.1) -> (model: file = \"m.json\")",
      "parameters": [{"label":[6,21]},{"label":[23,40]}]
    }
  ]
}

-> textDocument/prepareRename «1»
<- {"placeholder":"train","range":"5:17-5:22"}

-> textDocument/rename «1» {"newName": "learn"}
<- {
  "changes": {
    "root:/main.cwl": [{"newText":"learn","range":"2:23-2:28"},{"newText":"learn","range":"5:17-5:22"}],
    "root:/tasks.cwl": [{"newText":"learn","range":"3:5-3:10"}]
  }
}

-> textDocument/rename «5» {"newName": "data"}
<- error {"code":-32603,"message":"`data` is there already"}

-> textDocument/formatting main.cwl {"options": {"tabSize": 4, "insertSpaces": true}}
<- [{"newText":"    return (model: fitted.model)\n","range":"7:0-8:0"}]

-> textDocument/rangeFormatting main.cwl {
  "range": {"start": {"line": 7, "character": 0}, "end": {"line": 8, "character": 0}},
  "options": {"tabSize": 4, "insertSpaces": true}}
<- [{"newText":"    return (model: fitted.model)\n","range":"7:0-8:0"}]

-> textDocument/codeAction «5-6» {"context": {"diagnostics": []}}
<- [
  {
    "diagnostics": [
      {
        "code": "CW0231",
        "message": "`unused` is never used",
        "range": "6:8-6:14",
        "severity": 2,
        "source": "couler",
        "tags": [1]
      }
    ],
    "edit": {"changes":{"root:/main.cwl":[{"newText":"_unused","range":"6:8-6:14"}]}},
    "isPreferred": true,
    "kind": "quickfix",
    "title": "write `_unused` if that is meant"
  },
  {
    "edit": {"changes":{"root:/main.cwl":[{"newText":"_unused","range":"6:8-6:14"}]}},
    "kind": "source.fixAll",
    "title": "fix all that can be fixed"
  }
]

-> textDocument/codeAction «3-4» {"context": {"diagnostics": [], "only": ["refactor"]}}
<- [
  {
    "edit": {
      "changes": {
        "root:/main.cwl": [
          {"newText":"let value = 0.5\n    ","range":"5:4-5:4"},
          {"newText":"value","range":"5:35-5:38"}
        ]
      }
    },
    "kind": "refactor.extract",
    "title": "extract into a `let`"
  },
  {
    "edit": {
      "changes": {
        "root:/main.cwl": [
          {"newText":", value: float = 0.5","range":"4:41-4:41"},
          {"newText":"value","range":"5:35-5:38"}
        ]
      }
    },
    "kind": "refactor.extract",
    "title": "make a parameter of the workflow"
  }
]

== change main.cwl
couler 1

workflow main() {
let x = [
1,
        ]«8»
}
<- textDocument/publishDiagnostics {
  "diagnostics": [
    {
      "code": "CW0231",
      "message": "`x` is never used",
      "range": "3:4-3:5",
      "severity": 2,
      "source": "couler",
      "tags": [1]
    }
  ],
  "uri": "root:/main.cwl",
  "version": 2
}

-> textDocument/onTypeFormatting «8» {"ch": "\n", "options": {"tabSize": 4, "insertSpaces": true}}
<- [{"newText":"    ","range":"5:0-5:8"}]
