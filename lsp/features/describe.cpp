#include "lsp/features/describe.h"

#include <fmt/format.h>

namespace couler::lsp {

using namespace syntax;
using sema::SymbolId;
using sema::SymbolKind;

bool known(const Snapshot& snapshot, ir::TypeId type) {
  return type.valid() && snapshot.program().types.kind(type) != ir::TypeKind::Error;
}

std::string schemaText(const Snapshot& snapshot, ir::TypeId type) {
  constexpr std::size_t kMost = 40;
  const ir::TypeTable& types = snapshot.program().types;
  while (known(snapshot, type) && types[type].element.valid()) type = types[type].element;
  if (!known(snapshot, type) || types.kind(type) != ir::TypeKind::Schema) return {};
  std::string text = fmt::format("schema {} {{\n", types[type].name);
  for (std::size_t i = 0; i < types[type].fields.size() && i < kMost; ++i) {
    const ir::TypeField& field = types[type].fields[i];
    text += fmt::format("    {}: {}\n", field.name, types.print(field.type));
  }
  if (types[type].fields.size() > kMost) {
    text += fmt::format("    // and {} more\n", types[type].fields.size() - kMost);
  }
  return text + "}";
}

namespace {

const Field* fieldOf(const sema::Program& program, SymbolId symbol) {
  for (const sema::FileInfo& file : program.files) {
    for (const auto& [node, id] : file.declared) {
      if (id != symbol) continue;
      // Only fields are asked for: parameters, outputs and columns are declared by nothing else.
      const auto* field = static_cast<const Field*>(node);
      if (file.fieldTypes.contains(field)) return field;
    }
  }
  return nullptr;
}

}  // namespace

std::string paramsText(const Snapshot& snapshot, const std::vector<sema::FieldInfo>& fields) {
  std::string text = "(";
  for (const sema::FieldInfo& field : fields) {
    if (text.size() > 1) text += ", ";
    text += field.name;
    if (known(snapshot, field.type)) text += ": " + snapshot.program().types.print(field.type);
    if (field.syntax != nullptr && field.syntax->value != nullptr) {
      text += " = " + std::string(snapshot.sources().text(field.syntax->value->span));
    }
  }
  return text + ")";
}

std::string declarationText(const Snapshot& snapshot, SymbolId id) {
  const sema::Program& program = snapshot.program();
  const sema::Symbol& symbol = program.at(id);
  std::string text;
  if (symbol.kind == SymbolKind::Task && static_cast<const TaskDecl*>(symbol.decl)->isVolatile) {
    text = "volatile ";
  }
  text += fmt::format("{} {}", sema::wordOf(symbol.kind), symbol.name);
  if (const sema::Signature* signature = symbol.signature) {
    if (symbol.kind == SymbolKind::Schema || symbol.kind == SymbolKind::Enum) {
      text += " {";
      for (const sema::FieldInfo& field : signature->params) {
        text += fmt::format("\n    {}: {}", field.name, program.types.print(field.type));
      }
      return text + "\n}";
    }
    text += paramsText(snapshot, signature->params);
    if (!signature->outputs.empty()) {
      text += " -> " + paramsText(snapshot, signature->outputs);
    } else if (symbol.kind == SymbolKind::Transform) {
      text += " {";
      for (const sema::FieldInfo& column : signature->columns) {
        text += fmt::format("\n    {}: {}", column.name, program.types.print(column.type));
      }
      text += "\n}";
    } else if (known(snapshot, signature->result) && symbol.kind != SymbolKind::Task &&
               symbol.kind != SymbolKind::Workflow) {
      text += " -> " + program.types.print(signature->result);
    }
    return text;
  }
  if (symbol.kind == SymbolKind::Enum && known(snapshot, symbol.type)) {
    text += " {";
    for (const std::string& one : program.types[symbol.type].cases) text += " " + one + ",";
    if (text.back() == ',') text.back() = ' ';
    return text + "}";
  }
  if (symbol.kind == SymbolKind::Namespace) {
    return fmt::format("import \"{}\"", snapshot.sources().path(symbol.file));
  }
  if (known(snapshot, symbol.type)) text += ": " + program.types.print(symbol.type);
  return text;
}

std::string docOf(const Snapshot& snapshot, SymbolId id) {
  const sema::Symbol& symbol = snapshot.program().at(id);
  switch (symbol.kind) {
    case SymbolKind::Param:
    case SymbolKind::Output:
    case SymbolKind::Column: {
      const Field* field = fieldOf(snapshot.program(), id);
      return field == nullptr ? std::string() : std::string(field->doc);
    }
    case SymbolKind::EnumCase:
      for (const EnumCase& one : static_cast<const EnumDecl*>(symbol.decl)->cases) {
        if (one.name.text == symbol.name) return std::string(one.doc);
      }
      return {};
    case SymbolKind::Local:
    case SymbolKind::LoopVariable:
    case SymbolKind::Namespace:
    case SymbolKind::BuiltinFn:
      return {};
    default:
      return symbol.decl == nullptr ? std::string() : std::string(symbol.decl->doc);
  }
}

int symbolKindOf(SymbolKind kind) {
  switch (kind) {
    case SymbolKind::Namespace:
      return 2;  // Module
    case SymbolKind::Enum:
      return 10;
    case SymbolKind::EnumCase:
      return 22;
    case SymbolKind::Schema:
      return 23;  // Struct
    case SymbolKind::Task:
    case SymbolKind::Fn:
    case SymbolKind::BuiltinFn:
    case SymbolKind::Transform:
    case SymbolKind::Labeler:
      return 12;  // Function
    case SymbolKind::Workflow:
      return 5;  // Class
    case SymbolKind::Target:
      return 19;  // Object
    case SymbolKind::Column:
      return 8;  // Field
    default:
      return 13;  // Variable
  }
}

int completionKindOf(SymbolKind kind) {
  switch (kind) {
    case SymbolKind::Namespace:
      return 9;  // Module
    case SymbolKind::Enum:
      return 13;
    case SymbolKind::EnumCase:
      return 20;
    case SymbolKind::Schema:
      return 22;  // Struct
    case SymbolKind::Task:
    case SymbolKind::Fn:
    case SymbolKind::BuiltinFn:
    case SymbolKind::Transform:
    case SymbolKind::Labeler:
      return 3;  // Function
    case SymbolKind::Workflow:
      return 7;  // Class
    case SymbolKind::Column:
    case SymbolKind::Output:
      return 5;  // Field
    default:
      return 6;  // Variable
  }
}

const Decl* declAt(const Snapshot& snapshot, std::uint32_t offset) {
  for (const Decl* decl : snapshot.tree(snapshot.root()).decls) {
    if (decl->span.begin <= offset && offset <= decl->span.end) return decl;
  }
  return nullptr;
}

namespace {

/// Gathers what is in scope at a place; inner names come first.
class ScopeWalk {
 public:
  ScopeWalk(const Snapshot& snapshot, std::uint32_t offset)
      : info_(snapshot.program().files[snapshot.root().index()]), offset_(offset) {}

  std::vector<SymbolId> found;

  void decl(const Decl& decl) {
    switch (decl.kind) {
      case DeclKind::Fn:
        fields(static_cast<const FnDecl&>(decl).params);
        return expr(static_cast<const FnDecl&>(decl).body);
      case DeclKind::Task:
        fields(static_cast<const TaskDecl&>(decl).outputs);
        return fields(static_cast<const TaskDecl&>(decl).params);
      case DeclKind::Workflow:
        fields(static_cast<const WorkflowDecl&>(decl).params);
        return block(static_cast<const WorkflowDecl&>(decl).body);
      case DeclKind::Schema:
        return fields(static_cast<const SchemaDecl&>(decl).columns);
      case DeclKind::Transform: {
        const auto& transform = static_cast<const TransformDecl&>(decl);
        fields(transform.params);
        for (const TransformStmt& stmt : transform.statements) {
          if (stmt.span.end >= offset_) break;
          add(&stmt);
          for (const TransformKey& key : stmt.keys) add(&key);
        }
        return;
      }
      case DeclKind::Test:
        return block(static_cast<const TestDecl&>(decl).body, true);
      default:
        return;
    }
  }

 private:
  void add(const void* node) {
    const auto at = info_.declared.find(node);
    if (at != info_.declared.end()) found.insert(found.begin(), at->second);
  }
  void fields(std::span<Field> all) {
    for (const Field& one : all) add(&one);
  }
  [[nodiscard]] bool holds(Span span) const {
    return span.begin <= offset_ && offset_ <= span.end;
  }

  void block(const Block* body, bool always = false) {
    if (body == nullptr || (!always && !holds(body->span))) return;
    for (const Stmt* stmt : body->statements) {
      switch (stmt->kind) {
        case StmtKind::Let:
          expr(static_cast<const LetStmt*>(stmt)->value);
          if (stmt->span.end < offset_) add(stmt);
          break;
        case StmtKind::Expr:
          expr(static_cast<const ExprStmt*>(stmt)->value);
          break;
        case StmtKind::Return:
          expr(static_cast<const ReturnStmt*>(stmt)->value);
          break;
        case StmtKind::Finally:
          if (holds(static_cast<const FinallyStmt*>(stmt)->body->span)) add(stmt);
          block(static_cast<const FinallyStmt*>(stmt)->body);
          break;
      }
    }
  }

  /// Blocks inside an expression that holds the place.
  void expr(const Expr* e) {
    if (e == nullptr || !holds(e->span)) return;
    switch (e->kind) {
      case ExprKind::If:
        block(static_cast<const IfExpr*>(e)->then);
        return block(static_cast<const IfExpr*>(e)->otherwise);
      case ExprKind::For: {
        const auto& node = static_cast<const ForExpr&>(*e);
        if (node.body == nullptr || !holds(node.body->span)) return expr(node.items);
        add(e);
        return block(node.body);
      }
      case ExprKind::Loop: {
        const auto& node = static_cast<const LoopExpr&>(*e);
        if (node.body == nullptr || offset_ < node.body->span.begin) return;
        add(e);
        return block(node.body);
      }
      case ExprKind::Call:
        for (const Argument& arg : static_cast<const CallExpr*>(e)->args) expr(arg.value);
        return;
      case ExprKind::List:
        for (const ListItem& item : static_cast<const ListExpr*>(e)->items) expr(item.value);
        return;
      case ExprKind::Record:
        for (const Argument& arg : static_cast<const RecordExpr*>(e)->fields) expr(arg.value);
        return;
      case ExprKind::Binary:
        expr(static_cast<const BinaryExpr*>(e)->left);
        return expr(static_cast<const BinaryExpr*>(e)->right);
      case ExprKind::Try:
        return expr(static_cast<const TryExpr*>(e)->operand);
      case ExprKind::After:
        return expr(static_cast<const AfterExpr*>(e)->operand);
      default:
        return;
    }
  }

  const sema::FileInfo& info_;
  std::uint32_t offset_;
};

}  // namespace

std::vector<SymbolId> visibleAt(const Snapshot& snapshot, std::uint32_t offset) {
  ScopeWalk walk(snapshot, offset);
  if (const Decl* decl = declAt(snapshot, offset)) walk.decl(*decl);
  for (const auto& [name, symbol] : snapshot.program().files[snapshot.root().index()].names) {
    if (symbol.valid()) walk.found.push_back(symbol);
  }
  return std::move(walk.found);
}

}  // namespace couler::lsp
