#pragma once

#include <nlohmann/json.hpp>

#include "lsp/protocol/positions.h"
#include "lsp/workspace/snapshot.h"

/// Between what the compiler knows and the protocol's JSON.
namespace couler::lsp {

using Json = nlohmann::json;

/// A member of an object; null where it is none, or has none of that name.
[[nodiscard]] const Json& member(const Json& object, const char* name);
[[nodiscard]] Json toJson(Position at);
[[nodiscard]] Json toJson(Range range);
/// Of `params`: `position`; the start of the text where it is no position.
[[nodiscard]] Position positionIn(const Json& object);

/// A snapshot as a client sees it: spans become ranges in its encoding.
class View {
 public:
  View(const Snapshot& snapshot, Encoding encoding) : snapshot_(snapshot), encoding_(encoding) {}
  [[nodiscard]] const Snapshot& snapshot() const { return snapshot_; }
  [[nodiscard]] Encoding encoding() const { return encoding_; }
  [[nodiscard]] Range range(Span span) const;
  [[nodiscard]] Json location(Span span) const;
  [[nodiscard]] std::uint32_t offset(Position at) const;
  [[nodiscard]] std::string uri(FileId file) const;

 private:
  const Snapshot& snapshot_;
  Encoding encoding_;
};

/// A `Diagnostic` of the protocol; notes stand behind the message, labels are related information.
[[nodiscard]] Json diagnosticJson(const View& view, const Diagnostic& diagnostic);
/// A `WorkspaceEdit` with the edits by file.
[[nodiscard]] Json workspaceEdit(const View& view, const std::vector<Edit>& edits);

}  // namespace couler::lsp
