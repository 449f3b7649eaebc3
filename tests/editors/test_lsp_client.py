"""The server against a client that is not ours: each method that it offers, once, as pytest-lsp sends it and
as lsprotocol reads it, for editors with different capabilities. A reply that is not what the protocol says
for that client is an error. `couler` has to be on the PATH.
"""

import asyncio
import sys

import pytest

pytest_lsp = pytest.importorskip("pytest_lsp")
from lsprotocol import types as lsp  # noqa: E402
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities  # noqa: E402

pytestmark = pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning")

TASKS = """\
couler 1

/// Learns from rows.
task train(data: file<csv>, rate: float = 0.1) -> (model: file = "model.json", loss: float) {
    run sh \"\"\"
        loss=$rate
        cp "$data" "$model"
        \"\"\"
}
"""
MAIN = """\
couler 1

import "./tasks.cwl" { train }
import std.text

enum Grade { low, high }

workflow main(data: file<csv>, rate: float = 0.5) -> (model: file) {
    let fitted = train(data, rate: rate * 2)
    let unused = text.capitalize("a")
    return   (model: fitted.model)
}

workflow all(data: file<csv>) -> (model: file) {
    let one = main(data)
    return (model: one.model)
}

fn best(a: Grade) -> Grade = a

test "sums" {
    expect 1 + 1 == 2
}
"""


@pytest_lsp.fixture(
    params=["neovim@v0.7.0", "neovim@v0.11.0", "emacs@v29.1", "visual-studio-code"],
    config=ClientServerConfig(server_command=["couler", "lsp"]),
)
async def client(request, lsp_client: LanguageClient, tmp_path):
    (tmp_path / "tasks.cwl").write_text(TASKS)
    (tmp_path / "main.cwl").write_text(MAIN)
    lsp_client.folder = tmp_path
    lsp_client.registered = []

    @lsp_client.feature(lsp.CLIENT_REGISTER_CAPABILITY)
    def register(params: lsp.RegistrationParams):
        lsp_client.registered += [one.method for one in params.registrations]

    lsp_client.offered = (
        await lsp_client.initialize_session(
            lsp.InitializeParams(
                capabilities=client_capabilities(request.param),
                root_uri=tmp_path.as_uri(),
                workspace_folders=[lsp.WorkspaceFolder(uri=tmp_path.as_uri(), name="it")],
            )
        )
    ).capabilities
    for name, text in (("main.cwl", MAIN), ("tasks.cwl", TASKS)):
        lsp_client.text_document_did_open(
            lsp.DidOpenTextDocumentParams(
                lsp.TextDocumentItem(uri=uri(lsp_client, name), language_id="couler", version=1, text=text)
            )
        )
    yield
    await lsp_client.shutdown_session()


def uri(client, name="main.cwl"):
    return (client.folder / name).as_uri()


def document(client, name="main.cwl"):
    return lsp.TextDocumentIdentifier(uri=uri(client, name))


def behind(text, within=MAIN):
    before = within[: within.index(text) + len(text)]
    return lsp.Position(before.count("\n"), len(before) - before.rfind("\n") - 1)


def place(client, text, kind=lsp.TextDocumentPositionParams, **more):
    return kind(text_document=document(client), position=behind(text), **more)


WHOLE = lsp.Range(lsp.Position(0, 0), lsp.Position(MAIN.count("\n"), 0))


def edited(text, edits):
    """A text with edits in it; lines are ASCII."""
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def offset(position):
        return min(starts[min(position.line, len(starts) - 1)] + position.character, len(text))

    for edit in sorted(edits, key=lambda one: offset(one.range.start), reverse=True):
        text = text[: offset(edit.range.start)] + edit.new_text + text[offset(edit.range.end) :]
    return text


def document_edits(workspace_edit, uri):
    if workspace_edit.changes is not None:
        return workspace_edit.changes[uri]
    found = [one for one in workspace_edit.document_changes if one.text_document.uri == uri]
    return [edit for one in found for edit in one.edits]


async def diagnostics_of(client, text):
    """What is published for the file once one of it says `text`. Waits for notices, not for a time."""
    while True:
        found = client.diagnostics.get(uri(client), [])
        if any(text in one.message for one in found):
            return found
        await client.wait_for_notification(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)


def change(client, version, text):
    client.text_document_did_change(
        lsp.DidChangeTextDocumentParams(
            lsp.VersionedTextDocumentIdentifier(uri=uri(client), version=version),
            [lsp.TextDocumentContentChangeWholeDocument(text)],
        )
    )


# By the name of the capability: what is asked, and what has to come back.


def places(found):
    """Files and lines, of a location or of several."""
    return [(one.uri, one.range.start.line) for one in ([found] if isinstance(found, lsp.Location) else found)]


async def definition(client):
    found = await client.text_document_definition_async(place(client, "= trai", lsp.DefinitionParams))
    assert places(found) == [(uri(client, "tasks.cwl"), behind("task tr", TASKS).line)]


async def type_definition(client):
    found = await client.text_document_type_definition_async(place(client, "fn best(", lsp.TypeDefinitionParams))
    assert places(found) == [(uri(client), behind("enum ").line)]


async def implementation(client):
    found = await client.text_document_implementation_async(place(client, "= trai", lsp.ImplementationParams))
    assert places(found) == [(uri(client, "tasks.cwl"), behind("run sh", TASKS).line)]


async def references(client):
    params = place(client, "let fitt", lsp.ReferenceParams, context=lsp.ReferenceContext(include_declaration=True))
    assert len(await client.text_document_references_async(params)) == 2


async def document_highlight(client):
    found = await client.text_document_document_highlight_async(place(client, "let fitt", lsp.DocumentHighlightParams))
    assert len(found) == 2


async def hover(client):
    found = await client.text_document_hover_async(place(client, "= trai", lsp.HoverParams))
    assert "Learns from rows." in found.contents.value


async def completion(client):
    found = await client.text_document_completion_async(place(client, "(model: fitted.", lsp.CompletionParams))
    items = found.items if isinstance(found, lsp.CompletionList) else found
    assert {"model", "loss"} <= {item.label for item in items}
    if client.offered.completion_provider.resolve_provider:
        assert (await client.completion_item_resolve_async(items[0])).label == items[0].label


async def signature_help(client):
    found = await client.text_document_signature_help_async(place(client, "train(data, ", lsp.SignatureHelpParams))
    assert found.signatures[0].label.startswith("train(")
    assert found.active_parameter == 1


async def rename(client):
    prepared = await client.text_document_prepare_rename_async(place(client, "let fitt", lsp.PrepareRenameParams))
    assert prepared is not None
    found = await client.text_document_rename_async(place(client, "let fitt", lsp.RenameParams, new_name="learned"))
    assert edited(MAIN, document_edits(found, uri(client))) == MAIN.replace("fitted", "learned")


async def document_symbol(client):
    found = await client.text_document_document_symbol_async(lsp.DocumentSymbolParams(document(client)))
    kinds = {one.name: one.kind for one in found}
    assert kinds["sums"] == lsp.SymbolKind.Event
    assert kinds["Grade"] == lsp.SymbolKind.Enum
    assert {"main", "all"} <= kinds.keys()


async def workspace_symbol(client):
    found = await client.workspace_symbol_async(lsp.WorkspaceSymbolParams(query="train"))
    assert [one.location.uri for one in found if one.name == "train"] == [uri(client, "tasks.cwl")]


async def semantic_tokens(client):
    whole = await client.text_document_semantic_tokens_full_async(lsp.SemanticTokensParams(document(client)))
    assert len(whole.data) % 5 == 0 and len(whole.data) > 100
    part = await client.text_document_semantic_tokens_range_async(
        lsp.SemanticTokensRangeParams(document(client), lsp.Range(lsp.Position(0, 0), lsp.Position(3, 0)))
    )
    assert 0 < len(part.data) < len(whole.data)
    delta = await client.text_document_semantic_tokens_full_delta_async(
        lsp.SemanticTokensDeltaParams(document(client), previous_result_id=whole.result_id)
    )
    assert len(delta.edits) == 0, "nothing has changed"


async def inlay_hint(client):
    found = await client.text_document_inlay_hint_async(lsp.InlayHintParams(document(client), WHOLE))
    assert any(hint.kind == lsp.InlayHintKind.Type for hint in found)


async def code_lens(client):
    found = await client.text_document_code_lens_async(lsp.CodeLensParams(document(client)))
    assert {lens.command.command for lens in found} == {"couler.run", "couler.plan", "couler.test"}


async def code_action(client):
    [unused] = await diagnostics_of(client, "`unused` is never used")
    found = await client.text_document_code_action_async(
        lsp.CodeActionParams(document(client), unused.range, lsp.CodeActionContext([unused]))
    )
    fixes = [action for action in found if action.kind == lsp.CodeActionKind.QuickFix]
    assert edited(MAIN, document_edits(fixes[0].edit, uri(client))) == MAIN.replace("let unused", "let _unused")


async def folding_range(client):
    found = await client.text_document_folding_range_async(lsp.FoldingRangeParams(document(client)))
    assert any(one.kind == lsp.FoldingRangeKind.Imports for one in found)


async def selection_range(client):
    found = await client.text_document_selection_range_async(
        lsp.SelectionRangeParams(document(client), [behind("rate * ")])
    )
    inner = found[0]
    while inner.parent is not None:
        outer = inner.parent.range
        assert outer.start <= inner.range.start and outer.end >= inner.range.end
        inner = inner.parent
    assert inner.range.start == lsp.Position(0, 0)


async def document_link(client):
    found = await client.text_document_document_link_async(lsp.DocumentLinkParams(document(client)))
    assert [one.target for one in found] == [uri(client, "tasks.cwl")]


FORMAT = lsp.FormattingOptions(tab_size=4, insert_spaces=True)


async def document_formatting(client):
    found = await client.text_document_formatting_async(lsp.DocumentFormattingParams(document(client), FORMAT))
    assert edited(MAIN, found) == MAIN.replace("return   (", "return (")


async def document_range_formatting(client):
    found = await client.text_document_range_formatting_async(
        lsp.DocumentRangeFormattingParams(document(client), WHOLE, FORMAT)
    )
    assert edited(MAIN, found) == MAIN.replace("return   (", "return (")


async def document_on_type_formatting(client):
    crooked = MAIN.replace("fitted.model)\n}", "fitted.model)\n      }")
    change(client, 4, crooked)
    params = lsp.DocumentOnTypeFormattingParams(
        document(client), behind("fitted.model)\n      }", crooked), "}", FORMAT
    )
    assert edited(crooked, await client.text_document_on_type_formatting_async(params)) == MAIN
    change(client, 5, MAIN)


async def call_hierarchy(client):
    items = await client.text_document_prepare_call_hierarchy_async(
        place(client, "workflow mai", lsp.CallHierarchyPrepareParams)
    )
    assert [item.name for item in items] == ["main"]
    callers = await client.call_hierarchy_incoming_calls_async(lsp.CallHierarchyIncomingCallsParams(items[0]))
    assert [call.from_.name for call in callers] == ["all"]
    called = await client.call_hierarchy_outgoing_calls_async(lsp.CallHierarchyOutgoingCallsParams(items[0]))
    assert "train" in [call.to.name for call in called]


async def diagnostic(client):
    pushed = await diagnostics_of(client, "`unused` is never used")
    pulled = await client.text_document_diagnostic_async(lsp.DocumentDiagnosticParams(document(client)))
    assert [one.message for one in pulled.items] == [one.message for one in pushed]
    if client.offered.diagnostic_provider.workspace_diagnostics:
        everything = await client.workspace_diagnostic_async(lsp.WorkspaceDiagnosticParams(previous_result_ids=[]))
        assert uri(client) in [one.uri for one in everything.items]


async def text_document_sync(client):
    there = behind("fitted.model)")
    client.text_document_did_change(
        lsp.DidChangeTextDocumentParams(
            lsp.VersionedTextDocumentIdentifier(uri=uri(client), version=2),
            [lsp.TextDocumentContentChangePartial(lsp.Range(there, there), " + nothing")],
        )
    )
    assert len(await diagnostics_of(client, "unknown name `nothing`")) == 1
    change(client, 3, MAIN)
    await diagnostics_of(client, "`unused` is never used")


async def workspace(client):
    watched = client.capabilities.workspace.did_change_watched_files
    if watched is not None and watched.dynamic_registration:
        assert client.registered == [lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES]
    client.workspace_did_change_watched_files(
        lsp.DidChangeWatchedFilesParams([lsp.FileEvent(uri(client, "tasks.cwl"), lsp.FileChangeType.Changed)])
    )
    found = await client.workspace_will_rename_files_async(
        lsp.RenameFilesParams([lsp.FileRename(uri(client, "tasks.cwl"), uri(client, "steps/tasks.cwl"))])
    )
    assert edited(MAIN, document_edits(found, uri(client))) == MAIN.replace("./tasks", "./steps/tasks")


async def position_encoding(client):
    assert client.offered.position_encoding in (lsp.PositionEncodingKind.Utf8, lsp.PositionEncodingKind.Utf16)


@pytest.mark.asyncio
async def test_each_method_that_is_offered(client: LanguageClient):
    offered = []
    for attribute in type(client.offered).__attrs_attrs__:
        if getattr(client.offered, attribute.name) not in (None, False):
            offered.append(attribute.name.removesuffix("_provider"))
    assert "hover" in offered
    for name in offered:
        asked = getattr(sys.modules[__name__], name, None)
        assert asked is not None, f"{name} is offered and not tested"
        await asyncio.wait_for(asked(client), timeout=60)
