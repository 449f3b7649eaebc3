// Any bytes as the stream of a client, and as a document that is edited and asked about everywhere: no crash, and what
// can be read of the stream is answered.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "lsp/features/features.h"
#include "lsp/rpc/message_reader.h"
#include "lsp/server.h"
#include "lsp/workspace/scan.h"

using namespace couler::lsp;

namespace {

void stream(std::string_view bytes) {
  MessageReader reader;
  Server server({"fuzz", {}}, [](const std::string& body) {
    if (Json::parse(body, nullptr, false).is_discarded()) std::abort();
  }, [] {});
  server.take(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"capabilities":{}}})");
  for (const std::string_view piece : {bytes.substr(0, bytes.size() / 2), bytes.substr(bytes.size() / 2)}) {
    reader.feed(piece);
    while (const auto body = reader.next()) {
      server.peek(*body);
      server.take(*body);
    }
    server.idle();
  }
  server.take(bytes);  // as one body, too
}

void document(std::string_view text) {
  const std::string path = "untitled:fuzz";
  Overlay overlay;
  overlay.emplace(path, std::make_shared<const std::string>(text));
  const Snapshot snapshot(path, overlay, 1);
  if (!snapshot.loaded()) return;
  const View view(snapshot, Encoding::Utf16);
  const Lines lines(text);
  Json params = Json::object();
  for (const auto feature : {documentSymbol, foldingRange, documentLink, codeLens, semanticTokens, inlayHint}) {
    (void)feature(view, params).dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  (void)formatting(text, Encoding::Utf16);
  std::size_t left = 40;
  for (const Piece& piece : scan(text)) {
    if (left-- == 0) break;
    params["position"] = toJson(lines.position(text, piece.end, Encoding::Utf16));
    params["range"] = {{"start", toJson(lines.position(text, piece.begin, Encoding::Utf16))},
                       {"end", params["position"]}};
    params["positions"] = {params["position"]};
    for (const auto feature : {hover, definition, typeDefinition, implementation, documentHighlight,
                               prepareRename, prepareCallHierarchy, codeAction, selectionRange}) {
      (void)feature(view, params);
    }
    (void)completion(view, text, params, true);
    (void)signatureHelp(view, text, params);
    (void)onTypeFormatting(text, Encoding::Utf16, params);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(data, data + size);
  stream(bytes);
  document(bytes);
  return 0;
}
