// Repairs of errors that the compiler has no one text for.
#include <algorithm>

#include <fmt/format.h>

#include "lsp/features/calls.h"
#include "lsp/features/describe.h"
#include "lsp/features/library.h"
#include "lsp/features/refactor.h"
#include "lsp/features/statements.h"

namespace couler::lsp {

using namespace syntax;
using sema::SymbolId;
using sema::SymbolKind;

namespace {

class Repairs {
 public:
  Repairs(const View& view, const Diagnostic& diagnostic, const std::vector<ExportedName>* names,
          Json& actions)
      : view_(view),
        snapshot_(view.snapshot()),
        program_(snapshot_.program()),
        info_(program_.files[snapshot_.root().index()]),
        diagnostic_(diagnostic),
        names_(names),
        actions_(actions) {}

  void run() {
    if (diagnostic_.id != Diag::MissingArgument && diagnostic_.id != Diag::UnknownName) return;
    const CallExpr* call = nullptr;
    forEachExpr(snapshot_.tree(snapshot_.root()), [&](const Expr& e) {
      if (e.kind != ExprKind::Call || static_cast<const CallExpr&>(e).callee == nullptr) return;
      const Span callee = static_cast<const CallExpr&>(e).callee->span;
      if (callee.begin <= diagnostic_.at.begin && diagnostic_.at.end <= callee.end) {
        call = static_cast<const CallExpr*>(&e);
      }
    });
    if (diagnostic_.id == Diag::UnknownName) importIt();
    if (call == nullptr) return;
    if (diagnostic_.id == Diag::MissingArgument) addArguments(*call);
    if (diagnostic_.id == Diag::UnknownName && call->callee->kind == ExprKind::Name) {
      createTask(*call);
    }
  }

 private:
  void add(std::string title, Json edit) {
    actions_.push_back({{"title", std::move(title)},
                        {"kind", "quickfix"},
                        {"diagnostics", {diagnosticJson(view_, diagnostic_)}},
                        {"edit", std::move(edit)}});
  }
  [[nodiscard]] std::string typeText(const Expr& value) const {
    const ir::TypeId type = program_.info(snapshot_.root(), value).type;
    return known(snapshot_, type) ? program_.types.print(type) : "string";
  }

  void importIt() {
    const std::string_view name = snapshot_.sources().text(diagnostic_.at);
    const auto offer = [&](const Importable& one) {
      const Json edit = importEdit(view_, snapshot_.text(), one);
      add(fmt::format("import `{}` from `{}`", one.name, one.from),
          {{"changes", {{view_.uri(snapshot_.root()), {edit}}}}});
    };
    for (const Importable& one : libraryNames()) {
      if (one.name == name) offer(one);
    }
    std::size_t left = 10;
    for (const ExportedName& one : names_ == nullptr ? std::vector<ExportedName>() : *names_) {
      if (one.name != name || one.path == snapshot_.path()) continue;
      offer(importable(one, snapshot_.path()));
      if (--left == 0) return;
    }
  }

  void addArguments(const CallExpr& call) {
    const auto binding = info_.calls.find(call.id);
    if (binding == info_.calls.end() || !binding->second.callee.valid()) return;
    const sema::Signature* signature = program_.at(binding->second.callee).signature;
    if (signature == nullptr) return;
    std::string made;
    for (std::size_t i = 0; i < signature->params.size(); ++i) {
      const sema::FieldInfo& param = signature->params[i];
      const bool given = i < binding->second.argument.size() &&
                         binding->second.argument[i] != sema::CallBinding::kDefault;
      const bool optional = param.syntax != nullptr && param.syntax->value != nullptr;
      if (given || optional || program_.types.kind(param.type) == ir::TypeKind::Optional) continue;
      made += fmt::format("{}{}: {}", made.empty() ? "" : ", ", param.name, valueFor(param));
    }
    if (made.empty() || call.parens.size() < 2) return;
    // Behind the last argument, and a comma that may follow it.
    std::uint32_t behind = call.parens.begin + 1;
    if (!call.args.empty()) {
      behind = call.args.back().span.end;
      const std::string_view rest =
          snapshot_.text().substr(behind, call.parens.end - 1 - behind);
      const std::size_t comma = rest.find(',');
      if (comma == std::string_view::npos) {
        made = ", " + made;
      } else {
        behind += static_cast<std::uint32_t>(comma) + 1;
        made = " " + made;
      }
    }
    add("add the missing arguments",
        workspaceEdit(view_, {{{snapshot_.root(), behind, behind}, made}}));
  }

  /// What stands around under the parameter's name, else a value of its type.
  std::string valueFor(const sema::FieldInfo& param) const {
    for (const SymbolId id : visibleAt(snapshot_, diagnostic_.at.begin)) {
      const sema::Symbol& symbol = program_.at(id);
      const bool value = symbol.kind == SymbolKind::Local || symbol.kind == SymbolKind::Param ||
                         symbol.kind == SymbolKind::LoopVariable;
      if (value && symbol.name == param.name && symbol.type == param.type)
        return std::string(param.name);
    }
    if (!known(snapshot_, param.type)) return "none";
    const ir::Type& type = program_.types[param.type];
    switch (type.kind) {
      case ir::TypeKind::Bool:
        return "false";
      case ir::TypeKind::Int:
        return "0";
      case ir::TypeKind::Float:
        return "0.0";
      case ir::TypeKind::Duration:
        return "0 s";
      case ir::TypeKind::Size:
        return "0 B";
      case ir::TypeKind::String:
      case ir::TypeKind::File:
      case ir::TypeKind::Dir:
        return "\"\"";
      case ir::TypeKind::List:
        return "[]";
      case ir::TypeKind::Map:
        return "[:]";
      case ir::TypeKind::Enum:
        return type.cases.empty() ? std::string(param.name) : type.cases.front();
      default:
        return std::string(param.name);  // to be declared
    }
  }

  /// A task of that name, with the parameters that the call gives and the outputs that are used.
  void createTask(const CallExpr& call) {
    const Decl* decl = declAt(snapshot_, call.span.begin);
    if (decl == nullptr || decl->kind != DeclKind::Workflow) return;
    const std::string_view name = static_cast<const NameExpr*>(call.callee)->name.text;
    std::string params;
    std::size_t number = 0;
    for (const Argument& arg : call.args) {
      if (arg.spread || arg.value == nullptr) return;
      ++number;
      std::string param(arg.name.text);
      if (param.empty() && arg.value->kind == ExprKind::Name) {
        param = static_cast<const NameExpr*>(arg.value)->name.text;
      } else if (param.empty()) {
        param = fmt::format("input_{}", number);
      }
      params += fmt::format("{}{}: {}", params.empty() ? "" : ", ", param, typeText(*arg.value));
    }
    std::string outputs;
    for (const std::string& output : outputsUsed(static_cast<const WorkflowDecl&>(*decl), call)) {
      outputs += fmt::format("{}{}: string", outputs.empty() ? "" : ", ", output);
    }
    std::string made = fmt::format("\n\ntask {}({})", name, params);
    if (!outputs.empty()) made += fmt::format(" -> ({})", outputs);
    made += fmt::format(
        " {{\n    run sh \"\"\"\n        echo \"{} is not written yet\" >&2\n        exit 1\n"
        "        \"\"\"\n}}",
        name);
    const std::uint32_t end = decl->span.end;
    add(fmt::format("create the task `{}`", name),
        workspaceEdit(view_, {{{snapshot_.root(), end, end}, made}}));
  }

  std::vector<std::string> outputsUsed(const WorkflowDecl& workflow, const CallExpr& call) const {
    const StatementAt found = statementAt(workflow.body, call.span.begin);
    const bool let = found.stmt != nullptr && found.stmt->kind == StmtKind::Let &&
                     static_cast<const LetStmt*>(found.stmt)->value == &call;
    const std::string_view name =
        let ? static_cast<const LetStmt*>(found.stmt)->name.text : std::string_view();
    std::vector<std::string> outputs;
    forEachExpr(snapshot_.tree(snapshot_.root()), [&](const Expr& e) {
      if (e.kind != ExprKind::Member || e.span.begin < workflow.span.begin ||
          e.span.end > workflow.span.end) {
        return;
      }
      const auto& member = static_cast<const MemberExpr&>(e);
      const bool own = member.object == &call ||
                       (let && member.object != nullptr && member.object->kind == ExprKind::Name &&
                        static_cast<const NameExpr*>(member.object)->name.text == name);
      const std::string output(member.member.text);
      if (own && std::find(outputs.begin(), outputs.end(), output) == outputs.end()) {
        outputs.push_back(output);
      }
    });
    return outputs;
  }

  const View& view_;
  const Snapshot& snapshot_;
  const sema::Program& program_;
  const sema::FileInfo& info_;
  const Diagnostic& diagnostic_;
  const std::vector<ExportedName>* names_;
  Json& actions_;
};

}  // namespace

void addRepairs(const View& view, const Diagnostic& diagnostic,
                const std::vector<ExportedName>* names, Json& actions) {
  Repairs(view, diagnostic, names, actions).run();
}

}  // namespace couler::lsp
