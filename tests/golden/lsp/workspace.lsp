// Questions about all files, open or not.

== disk lib/tasks.cwl
couler 1

task train(data: file<csv>) -> (model: file = "m.json") {
    run sh "cp $data $model"
}

== disk bad.cwl
couler 1

fn wrong() -> int = nothing

== open main.cwl
couler 1

import "./lib/tasks.cwl" { train }

workflow main(data: file<csv>) -> (model: file) {
    let fitted = train(data)
    return (model: fitted.model)
}
<- textDocument/publishDiagnostics {"diagnostics":[],"uri":"root:/main.cwl","version":1}

-> workspace/symbol {"query": "tra"}
<- [{"kind":12,"location":{"range":"2:5-2:10","uri":"root:/lib/tasks.cwl"},"name":"train"}]

-> workspace/symbol {"query": "WRNG"}
<- [{"kind":12,"location":{"range":"2:3-2:8","uri":"root:/bad.cwl"},"name":"wrong"}]

-> workspace/diagnostic {"previousResultIds": []}
<- {
  "items": [
    {
      "items": [
        {
          "code": "CW0201",
          "message": "unknown name `nothing`",
          "range": "2:20-2:27",
          "severity": 1,
          "source": "couler"
        }
      ],
      "kind": "full",
      "resultId": "(of the files)",
      "uri": "root:/bad.cwl",
      "version": null
    },
    {
      "items": [],
      "kind": "full",
      "resultId": "(of the files)",
      "uri": "root:/lib/tasks.cwl",
      "version": null
    },
    {"items":[],"kind":"full","resultId":"(of the files)","uri":"root:/main.cwl","version":1}
  ]
}

-> workspace/diagnostic {"previousResultIds": [], "partialResultToken": "part"}
<- $/progress {
  "token": "part",
  "value": {
    "items": [
      {
        "items": [
          {
            "code": "CW0201",
            "message": "unknown name `nothing`",
            "range": "2:20-2:27",
            "severity": 1,
            "source": "couler"
          }
        ],
        "kind": "full",
        "resultId": "(of the files)",
        "uri": "root:/bad.cwl",
        "version": null
      },
      {
        "items": [],
        "kind": "full",
        "resultId": "(of the files)",
        "uri": "root:/lib/tasks.cwl",
        "version": null
      },
      {"items":[],"kind":"full","resultId":"(of the files)","uri":"root:/main.cwl","version":1}
    ]
  }
}
<- {"items":[]}

-> workspace/willRenameFiles {"files": [{"oldUri": "root:/lib/tasks.cwl", "newUri": "root:/steps/all.cwl"}]}
<- {"changes":{"root:/main.cwl":[{"newText":"\"./steps/all.cwl\"","range":"2:7-2:24"}]}}

-> workspace/willRenameFiles {"files": [{"oldUri": "root:/lib", "newUri": "root:/steps"}]}
<- {"changes":{"root:/main.cwl":[{"newText":"\"./steps/tasks.cwl\"","range":"2:7-2:24"}]}}

-> workspace/willRenameFiles {"files": [{"oldUri": "root:/main.cwl", "newUri": "root:/lib/main.cwl"}]}
<- {"changes":{"root:/main.cwl":[{"newText":"\"./tasks.cwl\"","range":"2:7-2:24"}]}}

-> callHierarchy/outgoingCalls {"item": {"name": "main", "data": {"path": "main.cwl", "begin": 55, "end": 59}}}
<- [
  {
    "fromRanges": ["5:17-5:22"],
    "to": {
      "data": {"begin":15,"end":20,"path":"root:/lib/tasks.cwl"},
      "kind": 12,
      "name": "train",
      "range": "2:0-4:1",
      "selectionRange": "2:5-2:10",
      "uri": "root:/lib/tasks.cwl"
    }
  }
]

== disk lib/tasks.cwl
couler 1

task learn(data: file<csv>) -> (model: file = "m.json") {
    run sh "cp $data $model"
}

-> workspace/didChangeWatchedFiles {"changes": [{"uri": "root:/lib/tasks.cwl", "type": 2}]}
<- textDocument/publishDiagnostics {
  "diagnostics": [
    {
      "code": "CW0205",
      "message": "`root:/lib/tasks.cwl` declares no `train`",
      "range": "2:27-2:32",
      "severity": 1,
      "source": "couler"
    }
  ],
  "uri": "root:/main.cwl",
  "version": 1
}

-> workspace/didChangeWorkspaceFolders {"event": {"removed": [{"uri": "root:", "name": "it"}], "added": []}}

-> workspace/symbol {"query": "wrong"}
<- []
