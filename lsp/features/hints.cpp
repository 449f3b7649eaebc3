// What an editor shows between the lines: inlay hints and lenses.
#include <algorithm>

#include <fmt/format.h>

#include "frontend/sema/walk.h"
#include "lsp/features/calls.h"
#include "lsp/features/describe.h"
#include "lsp/features/features.h"
#include "lsp/features/statements.h"

namespace couler::lsp {

using namespace syntax;
using sema::SymbolKind;

namespace {

constexpr std::size_t kLongest = 60;

/// Cut behind a comma where it is long.
std::string shortened(std::string text, std::string_view close) {
  if (text.size() <= kLongest) return text;
  const std::size_t comma = text.find_last_of(',', kLongest - 3);
  if (comma == std::string::npos) return text;
  return text.substr(0, comma) + ", …" + std::string(close);
}

class Hints {
 public:
  Hints(const View& view, std::uint32_t from, std::uint32_t to)
      : view_(view),
        snapshot_(view.snapshot()),
        program_(snapshot_.program()),
        info_(program_.files[snapshot_.root().index()]),
        from_(from),
        to_(to) {}

  Json run(const Outlook& outlook) {
    for (const Occurrence& name : snapshot_.occurrences(snapshot_.root())) {
      if (name.declares && wanted(name.span)) type(name);
    }
    for (const Decl* decl : snapshot_.tree(snapshot_.root()).decls) {
      if (!wanted(decl->span)) continue;
      if (decl->kind == DeclKind::Transform) columns(static_cast<const TransformDecl&>(*decl));
      if (decl->kind == DeclKind::Workflow) phases(static_cast<const WorkflowDecl&>(*decl));
    }
    forEachExpr(snapshot_.tree(snapshot_.root()), [&](const Expr& e) {
      if (e.kind == ExprKind::Call && wanted(e.span)) arguments(static_cast<const CallExpr&>(e));
    });
    addOutlookHints(view_, outlook, from_, to_, result_);
    return std::move(result_);
  }

 private:
  [[nodiscard]] bool wanted(Span span) const { return span.end >= from_ && span.begin <= to_; }
  Json& add(std::uint32_t at, std::string label) {
    const Position place = view_.range({snapshot_.root(), at, at}).start;
    result_.push_back({{"position", toJson(place)}, {"label", std::move(label)}});
    return result_.back();
  }

  /// Of what says none: `let`s, variables of loops, columns made.
  void type(const Occurrence& name) {
    const sema::Symbol& symbol = program_.at(name.symbol);
    const bool typed = symbol.kind == SymbolKind::Local || symbol.kind == SymbolKind::LoopVariable ||
                       (symbol.kind == SymbolKind::Column && symbol.decl != nullptr &&
                        symbol.decl->kind == DeclKind::Transform);
    if (!typed || !known(snapshot_, symbol.type)) return;
    if (snapshot_.text().substr(name.span.end).starts_with(":")) return;
    std::string label = shortened(": " + program_.types.print(symbol.type), ")");
    // Most of a workflow is known when it runs: what is known before is worth a word.
    const bool early = symbol.kind == SymbolKind::Local && symbol.phase != ir::Phase::Run &&
                       symbol.decl != nullptr && symbol.decl->kind == DeclKind::Workflow;
    if (early) label += fmt::format(" at {} time", sema::wordOf(symbol.phase));
    Json& hint = add(name.span.end, std::move(label));
    hint["kind"] = 1;
  }

  /// The rows that a transform makes.
  void columns(const TransformDecl& transform) {
    const auto symbol = info_.declared.find(&transform);
    if (symbol == info_.declared.end()) return;
    const sema::Signature* signature = program_.at(symbol->second).signature;
    if (signature == nullptr || signature->columns.empty() || transform.params.empty()) return;
    const std::size_t close = snapshot_.text().find(')', transform.params.back().span.end);
    if (close >= transform.span.end) return;
    const std::string all = paramsText(snapshot_, signature->columns);
    Json& hint = add(static_cast<std::uint32_t>(close) + 1, shortened("-> " + all, ")"));
    hint["paddingLeft"] = true;
    hint["tooltip"] = all;
  }

  /// When it is known how often a `for` goes round, and which way an `if` goes.
  void phases(const WorkflowDecl& workflow) {
    const auto phase = [&](const Expr* of) {
      if (of == nullptr || of->kind == ExprKind::Error) return;
      const sema::ExprInfo& info = program_.info(snapshot_.root(), *of);
      if (!known(snapshot_, info.type)) return;
      Json& hint = add(of->span.end, fmt::format("at {} time", sema::wordOf(info.phase)));
      hint["paddingLeft"] = true;
    };
    const std::function<void(const Expr*)> walk = [&](const Expr* e) {
      if (e == nullptr || !wanted(e->span)) return;
      if (e->kind == ExprKind::For) phase(static_cast<const ForExpr*>(e)->items);
      if (e->kind == ExprKind::If) phase(static_cast<const IfExpr*>(e)->condition);
      sema::forEachChild(e, walk);
    };
    sema::forEachInBlock(workflow.body, walk);
  }

  /// Names of arguments given by place, of calls with more than one.
  void arguments(const CallExpr& call) {
    const auto binding = info_.calls.find(call.id);
    if (binding == info_.calls.end() || !binding->second.callee.valid() || call.args.size() < 2)
      return;
    const sema::Signature* signature = program_.at(binding->second.callee).signature;
    if (signature == nullptr) return;
    const std::vector<std::int32_t>& argument = binding->second.argument;
    for (std::size_t i = 0; i < argument.size() && i < signature->params.size(); ++i) {
      if (argument[i] < 0 || static_cast<std::size_t>(argument[i]) >= call.args.size()) continue;
      const Argument& arg = call.args[static_cast<std::size_t>(argument[i])];
      if (!arg.name.text.empty() || arg.spread || arg.value == nullptr) continue;
      const bool same =
          arg.value->kind == ExprKind::Name &&
          static_cast<const NameExpr*>(arg.value)->name.text == signature->params[i].name;
      if (same) continue;
      Json& hint = add(arg.value->span.begin, std::string(signature->params[i].name) + ":");
      hint["kind"] = 2;
      hint["paddingRight"] = true;
    }
  }

  const View& view_;
  const Snapshot& snapshot_;
  const sema::Program& program_;
  const sema::FileInfo& info_;
  std::uint32_t from_, to_;
  Json result_ = Json::array();
};

}  // namespace

Json inlayHint(const View& view, const Json& params, const Outlook& outlook) {
  std::uint32_t from = 0;
  std::uint32_t to = static_cast<std::uint32_t>(view.snapshot().text().size());
  if (const auto range = params.find("range"); range != params.end() && range->is_object()) {
    from = view.offset(positionIn(range->value("start", Json())));
    to = view.offset(positionIn(range->value("end", Json())));
  }
  return Hints(view, from, to).run(outlook);
}

Json codeLens(const View& view, const Outlook& outlook) {
  const Snapshot& snapshot = view.snapshot();
  Json result = Json::array();
  const auto lens = [&](Span at, std::string title, const char* command, Json arguments) {
    result.push_back({{"range", toJson(view.range(at))},
                      {"command",
                       {{"title", std::move(title)},
                        {"command", command},
                        {"arguments", std::move(arguments)}}}});
  };
  const std::string uri = view.uri(snapshot.root());
  for (const Decl* decl : snapshot.tree(snapshot.root()).decls) {
    if (decl->kind == DeclKind::Workflow && !decl->name.text.empty()) {
      lens(decl->name.span, "run", "couler.run", {uri, decl->name.text});
      lens(decl->name.span, "plan", "couler.plan", {uri, decl->name.text});
      std::string work = outlookText(outlook, decl->name.text);
      if (!work.empty()) {
        lens(decl->name.span, std::move(work), "couler.plan", {uri, decl->name.text});
      }
    } else if (decl->kind == DeclKind::Test) {
      const auto& test = static_cast<const TestDecl&>(*decl);
      lens(test.titleSpan, "run test", "couler.test", {uri, test.title});
    }
  }
  return result;
}

}  // namespace couler::lsp
