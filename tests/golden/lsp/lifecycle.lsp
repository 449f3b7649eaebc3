// From the first message to the last: what is offered, what is refused.

-> initialize {"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": true}}}
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
<- client/registerCapability {
  "registrations": [
    {
      "id": "files",
      "method": "workspace/didChangeWatchedFiles",
      "registerOptions": {"watchers":[{"globPattern":"**/*.{cwl,couler}"},{"globPattern":"**/.couler/history.db*"}]}
    }
  ]
}

-> initialize {}
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

-> nothing/known {}
<- error {"code":-32601,"message":"there is no request `nothing/known`"}

-> textDocument/hover {"textDocument": {"uri": "root:/unknown.cwl"}, "position": {"line": 0, "character": 0}}
<- null

-> workspace/didChangeWatchedFiles {"changes": [7]}
<- window/logMessage {
  "message": "workspace/didChangeWatchedFiles: [json.exception.type_error.306] cannot use value() with number",
  "type": 1
}

-> $/cancelRequest {"id": 77}

-> shutdown
<- null

-> textDocument/hover {"textDocument": {"uri": "root:/unknown.cwl"}, "position": {"line": 0, "character": 0}}
<- error {"code":-32600,"message":"the server is shut down"}

-> exit
