#include <set>

#include <fmt/format.h>

#include "frontend/sema/walk.h"
#include "ir/builtins.h"
#include "lsp/features/calls.h"
#include "lsp/features/describe.h"
#include "lsp/features/features.h"
#include "lsp/workspace/scan.h"

namespace couler::lsp {

using sema::SymbolId;
using sema::SymbolKind;

namespace {

Json markdown(const View& view, std::string_view code, std::string_view text, Span at) {
  std::string value = fmt::format("```couler\n{}\n```", code);
  if (!text.empty()) value += fmt::format("\n\n{}", text);
  return {{"contents", {{"kind", "markdown"}, {"value", std::move(value)}}},
          {"range", toJson(view.range(at))}};
}

/// A function of the language at this place: all that it may be.
std::optional<std::string> builtinText(std::string_view name) {
  std::string code;
  std::string_view doc;
  for (const ir::BuiltinInfo* row : ir::overloads(name)) {
    code += fmt::format("{}fn {}{}", code.empty() ? "" : "\n", name, row->signature);
    if (doc.empty()) doc = row->doc;
  }
  if (code.empty()) return std::nullopt;
  return fmt::format("```couler\n{}\n```\n\nGives {}.", code, doc);
}

/// What a task, or what a workflow runs, does beside giving its outputs.
bool isVolatile(const Snapshot& snapshot, SymbolId id, std::set<SymbolId>& seen) {
  const sema::Program& program = snapshot.program();
  const sema::Symbol& symbol = program.at(id);
  if (symbol.decl == nullptr || !seen.insert(id).second) return false;
  if (symbol.kind == SymbolKind::Task) {
    return static_cast<const syntax::TaskDecl&>(*symbol.decl).isVolatile;
  }
  if (symbol.kind != SymbolKind::Workflow) return false;
  for (const Occurrence& one : snapshot.occurrences(symbol.file)) {
    const bool inside =
        one.span.begin >= symbol.decl->span.begin && one.span.end <= symbol.decl->span.end;
    if (inside && !one.declares && isVolatile(snapshot, one.symbol, seen)) return true;
  }
  return false;
}

/// How the steps of a task or workflow are treated, which its signature does not say.
std::string effectText(const Snapshot& snapshot, SymbolId id) {
  const sema::Symbol& symbol = snapshot.program().at(id);
  std::set<SymbolId> seen;
  const bool opaque = isVolatile(snapshot, id, seen);
  if (symbol.kind == SymbolKind::Workflow) {
    return opaque ? "Effect: opaque. Some of its steps are volatile and run in every run."
                  : "Effect: pure. Its steps are reused while their programs and inputs are the same.";
  }
  const auto& task = static_cast<const syntax::TaskDecl&>(*symbol.decl);
  std::string text =
      opaque ? "Effect: opaque. It is volatile: it runs in every run, and its result is not reused."
             : "Effect: pure. Its result is reused while its program and inputs are the same.";
  if (task.run == syntax::RunKind::Sh) text += " Runs a shell script.";
  if (task.run == syntax::RunKind::Python) text += " Runs a Python script.";
  return text;
}

/// The columns of what has rows in it, behind what else is said.
void addSchema(const Snapshot& snapshot, ir::TypeId type, std::string& text) {
  const std::string schema = schemaText(snapshot, type);
  if (schema.empty()) return;
  text += fmt::format("{}```couler\n{}\n```", text.empty() ? "" : "\n\n", schema);
}

}  // namespace

Json hover(const View& view, const Json& params) {
  const Snapshot& snapshot = view.snapshot();
  const std::uint32_t offset = view.offset(positionIn(params.value("position", Json())));
  if (const Occurrence* found = snapshot.at(snapshot.root(), offset)) {
    const sema::Symbol& symbol = snapshot.program().at(found->symbol);
    std::string text;
    const bool valued = symbol.kind == SymbolKind::Local || symbol.kind == SymbolKind::Param ||
                        symbol.kind == SymbolKind::LoopVariable;
    const bool inWorkflow = symbol.decl != nullptr && symbol.decl->kind == syntax::DeclKind::Workflow;
    if (valued && inWorkflow) {
      text = fmt::format("Known at {} time.", sema::wordOf(symbol.phase));
    }
    if (symbol.kind == SymbolKind::Task || symbol.kind == SymbolKind::Workflow) {
      text = effectText(snapshot, found->symbol);
    }
    if (symbol.kind != SymbolKind::Schema && symbol.kind != SymbolKind::Transform) {
      addSchema(snapshot, symbol.type, text);
    }
    if (const std::string doc = docOf(snapshot, found->symbol); !doc.empty()) {
      text = doc + (text.empty() ? "" : "\n\n" + text);
    }
    return markdown(view, declarationText(snapshot, found->symbol), text, found->span);
  }
  // No symbol: a function of the language, or the type of what stands here.
  const std::string_view source = snapshot.text();
  std::uint32_t begin = offset;
  std::uint32_t end = offset;
  while (begin > 0 && isWordByte(source[begin - 1])) --begin;
  while (end < source.size() && isWordByte(source[end])) ++end;
  const syntax::Expr* expr = innermostAt(snapshot, offset);
  if (expr == nullptr) return nullptr;
  const bool isName = begin < end && expr->kind == syntax::ExprKind::Name && expr->span.begin == begin;
  if (isName) {
    if (const auto text = builtinText(source.substr(begin, end - begin))) {
      return {{"contents", {{"kind", "markdown"}, {"value", *text}}},
              {"range", toJson(view.range({snapshot.root(), begin, end}))}};
    }
  }
  const sema::ExprInfo& info = snapshot.program().info(snapshot.root(), *expr);
  if (!info.type.valid() || snapshot.program().types.kind(info.type) == ir::TypeKind::Error) {
    return nullptr;
  }
  std::string text;
  if (const syntax::Decl* decl = declAt(snapshot, offset);
      decl != nullptr && decl->kind == syntax::DeclKind::Workflow) {
    text = fmt::format("Known at {} time.", sema::wordOf(info.phase));
  }
  addSchema(snapshot, info.type, text);
  return markdown(view, snapshot.program().types.print(info.type), text, expr->span);
}

Json signatureHelp(const View& view, std::string_view text, const Json& params) {
  const Snapshot& snapshot = view.snapshot();
  const std::uint32_t offset = Lines(text).offset(text, positionIn(params.value("position", Json())),
                                                  view.encoding());
  const std::optional<OpenCall> call = openCallAt(text, offset);
  if (!call) return nullptr;
  Json signatures = Json::array();
  std::size_t active = call->argument;
  const SymbolId symbol = 
      calleeNamed(snapshot, call->callee, TextShift(snapshot.text(), text).back(offset));
  const auto add = [&](std::string label, std::string doc, std::size_t paramsAt) {
    // Each parameter by where it stands in the label.
    Json parameters = Json::array();
    std::size_t from = paramsAt + 1;
    int depth = 0;
    for (std::size_t i = from; i < label.size(); ++i) {
      const char c = label[i];
      if (c == '(' || c == '<' || c == '[') ++depth;
      const bool ends = depth == 0 && (c == ',' || c == ')');
      if (depth > 0 && (c == ')' || c == '>' || c == ']')) --depth;
      if (!ends) continue;
      if (i > from) parameters.push_back({{"label", {from, i}}});
      from = i + 2;
      if (c == ')') break;
    }
    Json one{{"label", std::move(label)}, {"parameters", std::move(parameters)}};
    if (!doc.empty()) one["documentation"] = {{"kind", "markdown"}, {"value", std::move(doc)}};
    signatures.push_back(std::move(one));
  };
  if (symbol.valid()) {
    const sema::Symbol& callee = snapshot.program().at(symbol);
    if (callee.signature == nullptr) return nullptr;
    const std::string name(callee.name);
    std::string label = name + paramsText(snapshot, callee.signature->params);
    if (!callee.signature->outputs.empty()) {
      label += " -> " + paramsText(snapshot, callee.signature->outputs);
    }
    add(std::move(label), docOf(snapshot, symbol), name.size());
    if (!call->name.empty()) {
      for (std::size_t i = 0; i < callee.signature->params.size(); ++i) {
        if (callee.signature->params[i].name == call->name) active = i;
      }
    }
  } else {
    for (const ir::BuiltinInfo* row : ir::overloads(call->callee)) {
      add(std::string(row->name) + std::string(row->signature), std::string(row->doc),
          row->name.size());
    }
  }
  if (signatures.empty()) return nullptr;
  return {{"signatures", std::move(signatures)}, {"activeSignature", 0}, {"activeParameter", active}};
}

}  // namespace couler::lsp
