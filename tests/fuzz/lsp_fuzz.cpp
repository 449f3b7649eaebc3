// Any bytes as the stream of a client, as a document that is asked about everywhere, and as edits of a document: no
// crash, what can be read of the stream is answered, and after edits the messages are those of the text they make.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

#include "lsp/features/features.h"
#include "lsp/rpc/message_reader.h"
#include "lsp/server.h"
#include "lsp/workspace/scan.h"

using namespace couler;
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
  const auto dump = [](const Json& json) { (void)json.dump(-1, ' ', false, Json::error_handler_t::replace); };
  for (const auto feature : {documentSymbol, foldingRange, documentLink, semanticTokens}) dump(feature(view, params));
  dump(codeLens(view, {}));
  dump(inlayHint(view, params, {}));
  (void)formatting(text, Encoding::Utf16, params);
  std::size_t left = 40;
  for (const Piece& piece : scan(text)) {
    if (left-- == 0) break;
    params["position"] = toJson(lines.position(text, piece.end, Encoding::Utf16));
    params["range"] = {{"start", toJson(lines.position(text, piece.begin, Encoding::Utf16))},
                       {"end", params["position"]}};
    params["positions"] = {params["position"]};
    for (const auto feature : {hover, definition, typeDefinition, implementation, documentHighlight,
                               prepareRename, prepareCallHierarchy, selectionRange}) {
      (void)feature(view, params);
    }
    (void)codeAction(view, params, nullptr);
    (void)completion(view, text, params, true, nullptr);
    (void)signatureHelp(view, text, params);
    (void)onTypeFormatting(text, Encoding::Utf16, params);
  }
}

/// The offset of a position, one step after the other.
std::size_t offsetOf(const std::string& text, std::size_t line, std::size_t units) {
  std::size_t at = 0;
  for (; line > 0 && at < text.size(); ++at) {
    if (text[at] == '\n' || (text[at] == '\r' && (at + 1 == text.size() || text[at + 1] != '\n'))) --line;
  }
  if (line > 0) return text.size();
  while (at < text.size() && text[at] != '\n' && text[at] != '\r') {
    std::size_t size = 1;
    while (at + size < text.size() && (static_cast<unsigned char>(text[at + size]) & 0xC0U) == 0x80U) ++size;
    const std::size_t wide = static_cast<unsigned char>(text[at]) >= 0xF0U ? 2 : 1;
    if (wide > units) break;
    units -= wide;
    at += size;
  }
  return at;
}

/// The first half is a document, each five bytes of the second an edit of it: where from and to, and how much of the
/// first half comes there.
void edits(std::string_view bytes) {
  // What is no UTF-8 cannot come in JSON.
  std::string text = Json::parse(Json(bytes.substr(0, bytes.size() / 2)).dump(-1, ' ', false, Json::error_handler_t::replace));
  const std::string first = text;
  const std::string_view commands = bytes.substr(bytes.size() / 2);
  const std::string path = "untitled:fuzz";
  Json published;
  Server server({"fuzz", {}}, [&](const std::string& body) {
    Json message = Json::parse(body);
    if (message.value("method", "") == "textDocument/publishDiagnostics") published = message["params"]["diagnostics"];
  }, [] {});
  const auto send = [&](const char* method, Json params) {
    server.take(Json{{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}}.dump());
  };
  server.take(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"capabilities":{}}})");
  send("textDocument/didOpen", {{"textDocument", {{"uri", path}, {"version", 1}, {"text", text}}}});
  Json changes = Json::array();
  for (std::size_t i = 0; i + 5 <= commands.size() && i < 100; i += 5) {
    const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(commands[i + k]); };
    const std::size_t begin = offsetOf(text, byte(0) % 16U, byte(1)), end = offsetOf(text, byte(2) % 16U, byte(3));
    std::size_t from = first.empty() ? 0 : byte(4) % first.size();
    while (from > 0 && (static_cast<unsigned char>(first[from]) & 0xC0U) == 0x80U) --from;
    std::string with = first.substr(0, from);
    changes.push_back({{"range", {{"start", {{"line", byte(0) % 16}, {"character", byte(1)}}},
                                  {"end", {{"line", byte(2) % 16}, {"character", byte(3)}}}}},
                       {"text", with}});
    if (begin <= end) text.replace(begin, end - begin, with);
  }
  send("textDocument/didChange", {{"textDocument", {{"uri", path}, {"version", 2}}}, {"contentChanges", std::move(changes)}});
  for (server.idle(); server.busy(); server.idle()) std::this_thread::yield();
  Overlay overlay;
  overlay.emplace(path, std::make_shared<const std::string>(text));
  const Snapshot whole(path, overlay, 0);
  Json expected = Json::array();
  for (const Diagnostic& one : whole.diagnostics()) {
    const bool own = !one.at.valid() || one.at.file == whole.root();
    if (own && one.severity != Severity::Remark) expected.push_back(diagnosticJson(View(whole, Encoding::Utf16), one));
  }
  expected = Json::parse(expected.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (published != expected) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(data, data + size);
  stream(bytes);
  document(bytes);
  edits(bytes);
  return 0;
}
