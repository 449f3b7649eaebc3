#pragma once

#include "lsp/features/outlook.h"
#include "lsp/protocol/convert.h"
#include "lsp/workspace/names.h"

/// One function a request: its result, from a snapshot and the request's parameters. They change
/// nothing and know no server. `null` where there is nothing to say.
namespace couler::lsp {

[[nodiscard]] Json hover(const View& view, const Json& params);
[[nodiscard]] Json definition(const View& view, const Json& params);
[[nodiscard]] Json typeDefinition(const View& view, const Json& params);
[[nodiscard]] Json documentHighlight(const View& view, const Json& params);
[[nodiscard]] Json documentSymbol(const View& view, const Json& params);
[[nodiscard]] Json documentLink(const View& view, const Json& params);
[[nodiscard]] Json foldingRange(const View& view, const Json& params);
[[nodiscard]] Json selectionRange(const View& view, const Json& params);
[[nodiscard]] Json inlayHint(const View& view, const Json& params, const Outlook& outlook);
[[nodiscard]] Json codeLens(const View& view, const Outlook& outlook);
[[nodiscard]] Json codeAction(const View& view, const Json& params,
                              const std::vector<ExportedName>* names);
[[nodiscard]] Json prepareRename(const View& view, const Json& params);
[[nodiscard]] Json implementation(const View& view, const Json& params);
[[nodiscard]] Json prepareCallHierarchy(const View& view, const Json& params);

/// `data` of a token: line and start relative to the one before, length, type, modifiers.
[[nodiscard]] Json semanticTokensLegend();
[[nodiscard]] Json semanticTokens(const View& view, const Json& params);
/// What makes one `data` of the other: at most one edit.
[[nodiscard]] Json semanticTokenEdits(const std::vector<std::uint32_t>& before,
                                      const std::vector<std::uint32_t>& now);

/// `text` is the document as it is now, which the snapshot may be a little behind.
[[nodiscard]] Json signatureHelp(const View& view, std::string_view text, const Json& params);
/// `names`: what other programs export; null where that is not known.
[[nodiscard]] Json completion(const View& view, std::string_view text, const Json& params,
                              bool snippets, const std::vector<ExportedName>* names);
[[nodiscard]] Json completionOptions();

/// Whole document; nothing where it does not parse. `text` as for completion.
[[nodiscard]] Json formatting(std::string_view text, Encoding encoding, const Json& params);
/// The lines of `params.range` only.
[[nodiscard]] Json rangeFormatting(std::string_view text, Encoding encoding, const Json& params);

/// Indents the line of `params.position`.
[[nodiscard]] Json onTypeFormatting(std::string_view text, Encoding encoding, const Json& params);

/// References and renames are of more than one file: the snapshots are of all roots known.
struct SymbolPlace {
  std::string path;  ///< of the file that declares it
  Span declared;
  std::string name;
};
[[nodiscard]] std::optional<SymbolPlace> symbolAt(const View& view, const Json& params);
/// Where in the snapshot's files that symbol stands.
[[nodiscard]] std::vector<Occurrence> placesOf(const Snapshot& snapshot, FileId file,
                                               const SymbolPlace& symbol);
/// Which symbol an item of a call hierarchy stands for.
[[nodiscard]] std::optional<SymbolPlace> symbolOfItem(const Json& item);
/// Adds those of the root file that call it (`CallHierarchyIncomingCall`).
void addCallers(const View& view, const SymbolPlace& symbol, Json& result);
/// Those that it calls; `view` is of the file that declares it.
[[nodiscard]] Json callees(const View& view, const SymbolPlace& symbol);
/// Why a symbol cannot get that name; empty: it can.
[[nodiscard]] std::string renameProblem(std::string_view name);

}  // namespace couler::lsp
