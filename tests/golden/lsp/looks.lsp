// Colours, outlines, hints and lenses.

== open main.cwl
couler 1

/// Learns.
task train(data: file<csv>) -> (model: file = "m.json") {
    run sh "cp $data $model"
}

workflow main(data: file<csv>) -> (model: file) {
    let fitted = train(da«1»ta)
    return (model: fitted.model)
}

test "sums" {
    expect 1 + 1 == 2
}
<- textDocument/publishDiagnostics {"diagnostics":[],"uri":"root:/main.cwl","version":1}

-> textDocument/documentSymbol main.cwl
<- [
  {
    "children": [{"detail":"file","kind":8,"name":"model","range":"3:32-3:54","selectionRange":"3:32-3:37"}],
    "detail": "task",
    "kind": 12,
    "name": "train",
    "range": "3:0-5:1",
    "selectionRange": "3:5-3:10"
  },
  {
    "children": [{"kind":13,"name":"fitted","range":"8:4-8:28","selectionRange":"8:8-8:14"}],
    "detail": "workflow",
    "kind": 5,
    "name": "main",
    "range": "7:0-10:1",
    "selectionRange": "7:9-7:13"
  },
  {"kind":24,"name":"sums","range":"12:0-14:1","selectionRange":"12:5-12:11"}
]

-> textDocument/semanticTokens/full main.cwl
<- {
  "data": [
    0, 7, 1, 13, 0, 2, 0, 11, 11, 0, 1, 0, 4, 10, 0, 0, 5, 5, 9, 1, 0, 6, 4, 6, 1,
    0, 21, 5, 8, 1, 0, 14, 8, 12, 0, 1, 4, 3, 10, 0, 0, 4, 2, 10, 0, 0, 3, 17, 12, 0,
    3, 0, 8, 10, 0, 0, 9, 4, 9, 1, 0, 5, 4, 6, 1, 0, 21, 5, 8, 1, 1, 4, 3, 10, 0,
    0, 4, 6, 7, 1, 0, 9, 5, 9, 0, 0, 6, 4, 6, 0, 1, 4, 6, 10, 0, 0, 8, 5, 8, 0,
    0, 7, 6, 7, 0, 0, 7, 5, 8, 0, 3, 0, 4, 10, 0, 0, 5, 6, 12, 0, 1, 4, 6, 10, 0,
    0, 7, 1, 13, 0, 0, 4, 1, 13, 0, 0, 5, 1, 13, 0
  ],
  "resultId": "1"
}

-> textDocument/semanticTokens/range main.cwl {"range": {"start": {"line": 7, "character": 0}, "end": {"line": 8, "character": 0}}}
<- {"data":[7,0,8,10,0,0,9,4,9,1,0,5,4,6,1,0,21,5,8,1]}

-> couler/graph main.cwl {"workflow": "main"}
<- {"behind":false,"svg":"<svg>main"}

-> textDocument/didChange main.cwl {
  "textDocument": {"uri": "root:/main.cwl", "version": 2},
  "contentChanges": [{"range": {"start": {"line": 8, "character": 8}, "end": {"line": 8, "character": 14}}, "text": "learned"}]
}
<- textDocument/publishDiagnostics {
  "diagnostics": [
    {
      "code": "CW0201",
      "message": "unknown name `fitted`",
      "range": "9:19-9:25",
      "severity": 1,
      "source": "couler"
    }
  ],
  "uri": "root:/main.cwl",
  "version": 2
}

-> textDocument/semanticTokens/full/delta main.cwl {"previousResultId": "1"}
<- {
  "edits": [{"data":[7,7,1,0,10,5,9,0,0,6,4,6,0,1,4,6,10,0,0,8],"deleteCount":30,"start":77}],
  "resultId": "2"
}

-> textDocument/inlayHint main.cwl {"range": {"start": {"line": 0, "character": 0}, "end": {"line": 14, "character": 0}}}
<- [{"kind":1,"label":": (model: file)","position":"8:15"}]

-> textDocument/codeLens main.cwl
<- [
  {
    "command": {"arguments":["root:/main.cwl","main"],"command":"couler.run","title":"run"},
    "range": "7:9-7:13"
  },
  {
    "command": {"arguments":["root:/main.cwl","main"],"command":"couler.plan","title":"plan"},
    "range": "7:9-7:13"
  },
  {
    "command": {"arguments":["root:/main.cwl","sums"],"command":"couler.test","title":"run test"},
    "range": "12:5-12:11"
  }
]

-> textDocument/foldingRange main.cwl
<- [{"endLine":4,"startLine":3},{"endLine":9,"startLine":7},{"endLine":13,"startLine":12}]

-> textDocument/selectionRange main.cwl {"positions": ["«1»"]}
<- [
  {
    "parent": {"parent":{"parent":{"range":"0:0-15:0"},"range":"7:0-10:1"},"range":"8:18-8:29"},
    "range": "8:24-8:28"
  }
]
