// What is wrong, as it is typed, pulled, and over files.

== disk tasks.cwl
couler 1

task train(data: file<csv>, rate: float = 0.1) -> (model: file = "m.json") {
    run sh "cp $data $model"
}

== open main.cwl
couler 1

import "./tasks.cwl" { train }

workflow main(data: file<csv>) -> (model: file) {
    let fitted = train(data, «1»rato: 0.5)
    return (model: fitted.model)«2»
}
<- textDocument/publishDiagnostics {
  "diagnostics": [
    {
      "code": "CW0210",
      "message": "`train` has no parameter `rato`\ndid you mean `rate`?",
      "range": "5:29-5:33",
      "relatedInformation": [{"location":{"range":"2:5-2:10","uri":"root:/tasks.cwl"},"message":"declared here"}],
      "severity": 1,
      "source": "couler"
    }
  ],
  "uri": "root:/main.cwl",
  "version": 1
}

-> textDocument/diagnostic main.cwl
<- {
  "items": [
    {
      "code": "CW0210",
      "message": "`train` has no parameter `rato`\ndid you mean `rate`?",
      "range": "5:29-5:33",
      "relatedInformation": [{"location":{"range":"2:5-2:10","uri":"root:/tasks.cwl"},"message":"declared here"}],
      "severity": 1,
      "source": "couler"
    }
  ],
  "kind": "full",
  "resultId": "1.0"
}

-> textDocument/diagnostic main.cwl {"previousResultId": "1.0"}
<- {"kind":"unchanged","resultId":"1.0"}

-> textDocument/didChange main.cwl {
  "textDocument": {"uri": "root:/main.cwl", "version": 7},
  "contentChanges": [{"range": {"start": {"line": 5, "character": 29}, "end": {"line": 5, "character": 33}}, "text": "rate"}]
}
<- textDocument/publishDiagnostics {"diagnostics":[],"uri":"root:/main.cwl","version":7}

== open tasks.cwl
couler 1

task train(data: file<csv>, speed: float = 0.1) -> (model: file = "m.json") {
    run sh "cp $data $model"
}
<- textDocument/publishDiagnostics {"diagnostics":[],"uri":"root:/tasks.cwl","version":1}
<- textDocument/publishDiagnostics {
  "diagnostics": [
    {
      "code": "CW0210",
      "message": "`train` has no parameter `rate`\nstill free: `speed`",
      "range": "5:29-5:33",
      "relatedInformation": [{"location":{"range":"2:5-2:10","uri":"root:/tasks.cwl"},"message":"declared here"}],
      "severity": 1,
      "source": "couler"
    }
  ],
  "uri": "root:/main.cwl",
  "version": 7
}

-> textDocument/didClose tasks.cwl
<- textDocument/publishDiagnostics {"diagnostics":[],"uri":"root:/tasks.cwl"}
<- textDocument/publishDiagnostics {"diagnostics":[],"uri":"root:/main.cwl","version":7}

-> textDocument/didClose main.cwl
<- textDocument/publishDiagnostics {"diagnostics":[],"uri":"root:/main.cwl"}
