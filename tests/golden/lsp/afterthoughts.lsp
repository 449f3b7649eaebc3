// What comes when nothing is being typed: what a run would do, what the languages of scripts say of these.

-> initialize {
  "workspace": {
    "codeLens": {"refreshSupport": true},
    "inlayHint": {"refreshSupport": true},
    "diagnostics": {"refreshSupport": true}
  }
}
<- {
  "capabilities": {
    "callHierarchyProvider": true,
    "codeActionProvider": {
      "codeActionKinds": [
        "quickfix",
        "refactor.extract",
        "refactor.inline",
        "refactor.rewrite",
        "source.fixAll",
        "source.organizeImports"
      ]
    },
    "codeLensProvider": {},
    "completionProvider": {"resolveProvider":true,"triggerCharacters":[".","\"","/","<","(","{"]},
    "definitionProvider": true,
    "diagnosticProvider": {"interFileDependencies":true,"workspaceDiagnostics":true},
    "documentFormattingProvider": true,
    "documentHighlightProvider": true,
    "documentLinkProvider": {},
    "documentOnTypeFormattingProvider": {"firstTriggerCharacter":"}","moreTriggerCharacter":["\n"]},
    "documentRangeFormattingProvider": true,
    "documentSymbolProvider": true,
    "foldingRangeProvider": true,
    "hoverProvider": true,
    "implementationProvider": true,
    "inlayHintProvider": true,
    "positionEncoding": "utf-16",
    "referencesProvider": true,
    "renameProvider": {"prepareProvider":true},
    "selectionRangeProvider": true,
    "semanticTokensProvider": {
      "full": {"delta":true},
      "legend": {
        "tokenModifiers": ["declaration","readonly","defaultLibrary"],
        "tokenTypes": [
          "namespace",
          "type",
          "class",
          "enum",
          "enumMember",
          "struct",
          "parameter",
          "variable",
          "property",
          "function",
          "keyword",
          "comment",
          "string",
          "number",
          "regexp"
        ]
      },
      "range": true
    },
    "signatureHelpProvider": {"retriggerCharacters":[")"],"triggerCharacters":["(",","]},
    "textDocumentSync": {"change":2,"openClose":true,"save":true},
    "typeDefinitionProvider": true,
    "workspace": {
      "fileOperations": {
        "willRename": {
          "filters": [
            {"pattern":{"glob":"**/*.{cwl,couler}","matches":"file"}},
            {"pattern":{"glob":"**","matches":"folder"}}
          ]
        }
      },
      "workspaceFolders": {"changeNotifications":true,"supported":true}
    },
    "workspaceSymbolProvider": true
  },
  "serverInfo": {"name":"couler","version":"test"}
}

== open main.cwl
couler 1

task train(data: file) -> (model: file = "m") {
    run python """oops(data, model)"""
}

workflow main(data: file) -> (model: file) {
    let first = train(data)
    return (model: first.model)
}
<- textDocument/publishDiagnostics {"diagnostics":[],"uri":"root:/main.cwl","version":1}
<- textDocument/publishDiagnostics {
  "diagnostics": [
    {
      "code": "CW0101",
      "message": "this Python script does not parse: no oops",
      "range": "3:18-3:22",
      "severity": 2,
      "source": "couler"
    }
  ],
  "uri": "root:/main.cwl",
  "version": 1
}
<- workspace/diagnostic/refresh null
<- workspace/inlayHint/refresh null
<- workspace/codeLens/refresh null

-> textDocument/codeLens main.cwl
<- [
  {
    "command": {"arguments":["root:/main.cwl","main"],"command":"couler.run","title":"run"},
    "range": "6:9-6:13"
  },
  {
    "command": {"arguments":["root:/main.cwl","main"],"command":"couler.plan","title":"plan"},
    "range": "6:9-6:13"
  },
  {
    "command": {"arguments":["root:/main.cwl","main"],"command":"couler.plan","title":"1 of 1 step to run"},
    "range": "6:9-6:13"
  }
]

-> textDocument/inlayHint main.cwl {"range": {"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}}}
<- [
  {"kind":1,"label":": (model: file)","position":"7:13"},
  {"label":"will run","paddingLeft":true,"position":"7:27"}
]

-> textDocument/diagnostic main.cwl
<- {
  "items": [
    {
      "code": "CW0101",
      "message": "this Python script does not parse: no oops",
      "range": "3:18-3:22",
      "severity": 2,
      "source": "couler"
    }
  ],
  "kind": "full",
  "resultId": "1.1"
}

-> textDocument/didSave main.cwl
