#include "lsp/features/describe.h"
#include "lsp/features/features.h"

namespace couler::lsp {

using namespace syntax;

namespace {

class Outline {
 public:
  explicit Outline(const View& view) : view_(view) {}

  Json run() {
    Json result = Json::array();
    for (const Decl* decl : view_.snapshot().tree(view_.snapshot().root()).decls) {
      if (decl->kind == DeclKind::Test) {
        const auto& test = static_cast<const TestDecl&>(*decl);
        result.push_back(item(std::string(test.title), 24, test.span, test.titleSpan));  // Event
      } else if (!decl->name.text.empty()) {
        result.push_back(of(*decl));
      }
    }
    return result;
  }

 private:
  Json item(std::string name, int kind, Span whole, Span own) const {
    if (name.empty()) name = "(no name)";
    return {{"name", std::move(name)},
            {"kind", kind},
            {"range", toJson(view_.range(cover(whole, own)))},
            {"selectionRange", toJson(view_.range(own))}};
  }
  static int kindOf(DeclKind kind) {
    switch (kind) {
      case DeclKind::Enum:
        return symbolKindOf(sema::SymbolKind::Enum);
      case DeclKind::Schema:
        return symbolKindOf(sema::SymbolKind::Schema);
      case DeclKind::Workflow:
        return symbolKindOf(sema::SymbolKind::Workflow);
      case DeclKind::Target:
        return symbolKindOf(sema::SymbolKind::Target);
      default:
        return symbolKindOf(sema::SymbolKind::Task);
    }
  }
  void fields(Json& children, std::span<Field> all, int kind) const {
    for (const Field& one : all) {
      if (one.name.text.empty()) continue;
      Json child = item(std::string(one.name.text), kind, one.span, one.name.span);
      if (one.type != nullptr) child["detail"] = view_.snapshot().sources().text(one.type->span);
      children.push_back(std::move(child));
    }
  }

  Json of(const Decl& decl) const {
    Json result = item(std::string(decl.name.text), kindOf(decl.kind), decl.span, decl.name.span);
    Json children = Json::array();
    switch (decl.kind) {
      case DeclKind::Enum:
        for (const EnumCase& one : static_cast<const EnumDecl&>(decl).cases) {
          children.push_back(item(std::string(one.name.text), 22, one.name.span, one.name.span));
        }
        break;
      case DeclKind::Schema:
        fields(children, static_cast<const SchemaDecl&>(decl).columns, 8);
        break;
      case DeclKind::Task:
        fields(children, static_cast<const TaskDecl&>(decl).outputs, 8);
        result["detail"] = "task";
        break;
      case DeclKind::Workflow: {
        result["detail"] = "workflow";
        const Block* body = static_cast<const WorkflowDecl&>(decl).body;
        for (const Stmt* stmt : body == nullptr ? std::span<Stmt*>{} : body->statements) {
          if (stmt->kind != StmtKind::Let) continue;
          const auto& let = static_cast<const LetStmt&>(*stmt);
          if (let.name.text.empty()) continue;
          children.push_back(item(std::string(let.name.text), 13, let.span, let.name.span));
        }
        break;
      }
      case DeclKind::Transform:
        for (const TransformStmt& stmt : static_cast<const TransformDecl&>(decl).statements) {
          if (stmt.kind != TransformKind::Derive || stmt.name.text.empty()) continue;
          children.push_back(item(std::string(stmt.name.text), 8, stmt.span, stmt.name.span));
        }
        break;
      default:
        break;
    }
    if (!children.empty()) result["children"] = std::move(children);
    return result;
  }

  const View& view_;
};

}  // namespace

Json documentSymbol(const View& view, const Json& /*params*/) { return Outline(view).run(); }

}  // namespace couler::lsp
