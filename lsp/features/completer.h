#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lsp/features/completion_place.h"
#include "lsp/features/features.h"
#include "lsp/features/library.h"

namespace couler::lsp {

/// Kinds of items, of the protocol.
enum ItemKind : int {
  kFunction = 3,
  kField = 5,
  kModule = 9,
  kProperty = 10,
  kUnit = 11,
  kKeyword = 14,
  kSnippet = 15,
  kFile = 17,
  kEnumMember = 20,
  kStruct = 22
};

/// What may stand at one place of a document.
class Completer {
 public:
  Completer(const View& view, std::string_view text, std::uint32_t offset, bool snippets,
            const std::vector<ExportedName>* names);
  Json run();

 private:
  // completion.cpp: what the language has
  Json& add(std::string_view label, int kind, std::string_view detail, int rank = 5);
  void document(Json& item, std::string doc);
  void add(sema::SymbolId id, int rank, std::string_view name = {});
  void declarations();
  void types();
  static bool isType(sema::SymbolKind kind);
  void settings();
  void paths(bool programs);

  // completion_values.cpp: what programs have
  /// Inputs and outputs of the task whose script this is.
  void variables();
  /// What a chain of names, calls and indexes is.
  void members();
  /// `xs.for`: takes the place of what stands before the dot.
  void postfix(ir::TypeId type);
  ir::TypeId typeOf(const sema::Symbol& symbol, const Place::Link& link) const;
  ir::TypeId indexed(ir::TypeId type, std::size_t times) const;
  /// Of optionals, lists and tables, what is in them: `.` works on each.
  ir::TypeId rowOf(ir::TypeId type) const;
  std::optional<ir::TypeId> fieldType(ir::TypeId type, std::string_view name) const;
  /// Arguments that the call has not got yet, by name.
  void arguments();
  void values();
  void library();
  /// What other programs of the workspace have, once something of its name is there.
  void workspace(bool types);
  void offer(const Importable& one, int rank);
  void exports();

  const View& view_;
  const Snapshot& snapshot_;
  const sema::Program& program_;
  std::string_view text_;
  std::uint32_t offset_;
  Place place_;
  std::uint32_t old_;  // the place in the snapshot's text
  bool snippets_;
  std::set<std::string, std::less<>> seen_;
  const std::vector<ExportedName>* names_;
  bool incomplete_ = false;
  Json items_ = Json::array();
};

}  // namespace couler::lsp
