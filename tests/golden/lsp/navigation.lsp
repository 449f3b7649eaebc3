// Where names come from, and where they stand.

== open tasks.cwl
couler 1

schema Row {
    id: int
    name: string
}

/// Learns.
task train(data: file<csv>, rate: float = 0.1) -> (model: file = "m.json", loss: float) {
    run sh """
        loss=$rate
        cp $data $model
        """
}

fn half(x: float) -> float = x / 2
<- textDocument/publishDiagnostics {"diagnostics":[],"uri":"root:/tasks.cwl","version":1}

== open main.cwl
couler 1

import "./tasks.cwl" { train, half as halved, Row }

workflow main(data: file<csv>, rates: list<float> = [0.1, 0.2]) -> (models: list<file>) {
    let trials = for rate in rates {
        let fitted = tr«1»ain(data, rate: halved(ra«2»te))
        (model: fitted.mo«3»del, loss: fitted.loss)
    }
    let rows = read<Row>(data)
    let kept = ro«4»ws
    return (models: tri«5»als.model)
}
<- textDocument/publishDiagnostics {
  "diagnostics": [
    {
      "code": "CW0231",
      "message": "`kept` is never used",
      "range": "10:8-10:12",
      "severity": 2,
      "source": "couler",
      "tags": [1]
    }
  ],
  "uri": "root:/main.cwl",
  "version": 1
}

-> textDocument/hover «1»
<- {
  "contents": {
    "kind": "markdown",
    "value": "```couler\ntask train(data: file<csv>, rate: float = 0.1) -> (model: file = \"m.json\", loss: float)\n```\n\nLearns.\n\nEffect: pure. Its result is reused while its program and inputs are the same. Runs a shell script."
  },
  "range": "6:21-6:26"
}

-> textDocument/hover «2»
<- {
  "contents": {"kind":"markdown","value":"```couler\nfor rate: float\n```\n\nKnown at submit time."},
  "range": "6:46-6:50"
}

-> textDocument/definition «1»
<- {"range":"8:5-8:10","uri":"root:/tasks.cwl"}

-> textDocument/definition «3»
<- {"range":"8:51-8:56","uri":"root:/tasks.cwl"}

-> textDocument/declaration «2»
<- {"range":"5:21-5:25","uri":"root:/main.cwl"}

-> textDocument/typeDefinition «4»
<- {"range":"2:7-2:10","uri":"root:/tasks.cwl"}

-> textDocument/implementation «1»
<- {"range":"9:4-12:11","uri":"root:/tasks.cwl"}

-> textDocument/references «1» {"context": {"includeDeclaration": true}}
<- [
  {"range":"2:23-2:28","uri":"root:/main.cwl"},
  {"range":"6:21-6:26","uri":"root:/main.cwl"},
  {"range":"8:5-8:10","uri":"root:/tasks.cwl"}
]

-> textDocument/references «5»
<- [{"range":"11:20-11:26","uri":"root:/main.cwl"}]

-> textDocument/documentHighlight «5»
<- [{"kind":3,"range":"5:8-5:14"},{"kind":2,"range":"11:20-11:26"}]

-> textDocument/prepareCallHierarchy «1»
<- [
  {
    "data": {"begin":72,"end":77,"path":"root:/tasks.cwl"},
    "kind": 12,
    "name": "train",
    "range": "8:0-13:1",
    "selectionRange": "8:5-8:10",
    "uri": "root:/tasks.cwl"
  }
]

-> callHierarchy/incomingCalls {"item": {"name": "train", "kind": 12, "uri": "root:/tasks.cwl",
  "range": {"start": {"line": 8, "character": 0}, "end": {"line": 13, "character": 1}},
  "selectionRange": {"start": {"line": 8, "character": 5}, "end": {"line": 8, "character": 10}},
  "data": {"path": "tasks.cwl", "begin": 72, "end": 77}}}
<- [
  {
    "from": {
      "data": {"begin":72,"end":76,"path":"root:/main.cwl"},
      "kind": 5,
      "name": "main",
      "range": "4:0-12:1",
      "selectionRange": "4:9-4:13",
      "uri": "root:/main.cwl"
    },
    "fromRanges": ["6:21-6:26"]
  }
]

-> textDocument/documentLink main.cwl
<- [{"range":"2:7-2:20","target":"root:/tasks.cwl"}]

-> couler/standardModule {"module": "nothing"}
<- null
