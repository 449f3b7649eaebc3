// Which names of a file mean which symbols: what definition, references, rename and colours rest on.
#include <algorithm>
#include <unordered_map>

#include "frontend/sema/walk.h"
#include "lsp/workspace/script_scan.h"
#include "lsp/workspace/snapshot.h"

namespace couler::lsp {

using namespace syntax;
using sema::SymbolId;
using sema::SymbolKind;

namespace {

class Finder {
 public:
  Finder(const sema::Program& program, std::string_view text, FileId file)
      : program_(program), text_(text), file_(file), info_(program.files[file.index()]) {
    for (std::size_t i = 0; i < program.symbols.size(); ++i) {
      const sema::Symbol& symbol = program.symbols[i];
      if (symbol.kind == SymbolKind::Schema || symbol.kind == SymbolKind::Transform) {
        rows_.try_emplace(symbol.type, SymbolId{i});
      }
    }
  }

  std::vector<Occurrence> run() {
    for (const Decl* decl : info_.tree->decls) visit(*decl);
    std::stable_sort(found_.begin(), found_.end(), [](const Occurrence& a, const Occurrence& b) {
      return a.span.begin < b.span.begin;
    });
    return std::move(found_);
  }

 private:
  void add(const Name& name, SymbolId symbol, bool declares = false) {
    if (name.text.empty() || !name.span.valid() || !symbol.valid()) return;
    found_.push_back({name.span, symbol, declares});
  }
  SymbolId declared(const void* node) const {
    const auto at = info_.declared.find(node);
    return at == info_.declared.end() ? SymbolId{} : at->second;
  }
  void declare(const Name& name, const void* node) { add(name, declared(node), true); }
  SymbolId top(FileId file, std::string_view name) const {
    if (!file.valid() || file.index() >= program_.files.size()) return {};
    const auto& names = program_.files[file.index()].names;
    const auto at = names.find(name);
    return at == names.end() ? SymbolId{} : at->second;
  }

  void visit(const Decl& decl) {
    decl_ = &decl;
    switch (decl.kind) {
      case DeclKind::Import:
        return import(static_cast<const ImportDecl&>(decl));
      case DeclKind::Enum:
        declare(decl.name, &decl);
        for (const EnumCase& one : static_cast<const EnumDecl&>(decl).cases) declare(one.name, &one);
        return;
      case DeclKind::Schema:
        declare(decl.name, &decl);
        return fields(static_cast<const SchemaDecl&>(decl).columns);
      case DeclKind::Fn:
        declare(decl.name, &decl);
        fields(static_cast<const FnDecl&>(decl).params);
        type(static_cast<const FnDecl&>(decl).result);
        return expr(static_cast<const FnDecl&>(decl).body);
      case DeclKind::Task: {
        const auto& task = static_cast<const TaskDecl&>(decl);
        declare(decl.name, &decl);
        fields(task.params);
        fields(task.outputs);
        for (const Expr* one : {task.image, task.cache, task.runBody}) expr(one);
        for (const Setting& setting : task.env) expr(setting.value);
        script(task);
        return settings(task);
      }
      case DeclKind::Workflow: {
        const auto& workflow = static_cast<const WorkflowDecl&>(decl);
        declare(decl.name, &decl);
        fields(workflow.params);
        fields(workflow.outputs);
        return block(workflow.body);
      }
      case DeclKind::Transform: {
        const auto& transform = static_cast<const TransformDecl&>(decl);
        declare(decl.name, &decl);
        fields(transform.params);
        for (const TransformStmt& stmt : transform.statements) statement(stmt);
        return settings(transform);
      }
      case DeclKind::Labeler: {
        const auto& labeler = static_cast<const LabelerDecl&>(decl);
        declare(decl.name, &decl);
        field(labeler.param);
        type(labeler.result);
        for (const Vote& vote : labeler.votes) expr(vote.when);
        return;
      }
      case DeclKind::Target:
        declare(decl.name, &decl);
        for (const Setting& setting : static_cast<const TargetDecl&>(decl).settings) {
          expr(setting.value);
        }
        return;
      case DeclKind::Test: {
        const auto& test = static_cast<const TestDecl&>(decl);
        block(test.body);
        for (const Expr* one : test.expectations) expr(one);
        return;
      }
      case DeclKind::Error:
        return;
    }
  }

  /// Inputs and outputs are variables of a script.
  void script(const TaskDecl& task) {
    const bool script = task.run == RunKind::Sh || task.run == RunKind::Python;
    if (!script || task.runBody == nullptr || task.runBody->kind != ExprKind::RawString) return;
    constexpr std::uint32_t kQuotes = 3;
    const Span span = task.runBody->span;
    if (span.size() < 2 * kQuotes) return;
    const std::string_view text = text_.substr(span.begin + kQuotes, span.size() - 2 * kQuotes);
    for (const ScriptPiece& piece : scanScript(task.run, text)) {
      if (piece.kind != ScriptPiece::Kind::Name) continue;
      const std::string_view name = text.substr(piece.begin, piece.end - piece.begin);
      const std::uint32_t begin = span.begin + kQuotes + piece.begin;
      for (const auto fields : {task.params, task.outputs}) {
        for (const Field& one : fields) {
          if (one.name.text != name) continue;
          add({name, {file_, begin, begin + static_cast<std::uint32_t>(name.size())}}, declared(&one));
        }
      }
    }
  }

  void import(const ImportDecl& decl) {
    if (!decl.alias.text.empty()) declare(decl.alias, &decl);
    for (const ImportedName& one : decl.names) {
      const Name& as = one.alias.text.empty() ? one.name : one.alias;
      const SymbolId symbol = top(file_, as.text);
      add(one.name, symbol);
      if (!one.alias.text.empty()) add(one.alias, symbol);
    }
  }

  void settings(const StepSettings& step) {
    expr(step.timeout);
    expr(step.retryCount);
    for (const auto all : {step.resources, step.retry}) {
      for (const Setting& setting : all) expr(setting.value);
    }
  }
  void fields(std::span<Field> all) {
    for (const Field& one : all) field(one);
  }
  void field(const Field& one) {
    declare(one.name, &one);
    type(one.type);
    expr(one.value);
    expr(one.where);
  }

  void type(const TypeExpr* written) {
    if (written == nullptr) return;
    if (written->kind == TypeKind::Optional) {
      return type(static_cast<const OptionalType*>(written)->inner);
    }
    if (written->kind == TypeKind::Record) {
      return fields(static_cast<const RecordType*>(written)->fields);
    }
    if (written->kind != TypeKind::Named) return;
    const auto& named = static_cast<const NamedType&>(*written);
    if (named.module.text.empty()) {
      add(named.name, top(file_, named.name.text));
    } else if (const SymbolId module = top(file_, named.module.text); module.valid()) {
      add(named.module, module);
      add(named.name, top(program_.at(module).file, named.name.text));
    }
    for (const TypeExpr* arg : named.args) type(arg);
  }

  void statement(const TransformStmt& stmt) {
    switch (stmt.kind) {
      case TransformKind::Derive:
        declare(stmt.name, &stmt);
        break;
      case TransformKind::Spread:
      case TransformKind::Join:
        add(stmt.name, parameter(stmt.name.text));
        if (const SymbolId row = parameter(stmt.name.text); row.valid()) {
          for (const Name& column : stmt.without) {
            add(column, columnOf(program_.at(row).type, column.text));
          }
        }
        break;
      default:
        break;
    }
    expr(stmt.value);
    for (const TransformKey& key : stmt.keys) {
      declare(key.name, &key);
      expr(key.value);
    }
  }
  SymbolId parameter(std::string_view name) const {
    const SymbolId own = declared(decl_);
    if (!own.valid() || program_.at(own).signature == nullptr) return {};
    return among(program_.at(own).signature->params, name);
  }
  static SymbolId among(const std::vector<sema::FieldInfo>& fields, std::string_view name) {
    for (const sema::FieldInfo& one : fields) {
      if (one.name == name) return one.symbol;
    }
    return {};
  }

  void block(const Block* body) {
    if (body == nullptr) return;
    for (const Stmt* stmt : body->statements) {
      switch (stmt->kind) {
        case StmtKind::Let: {
          const auto& let = static_cast<const LetStmt&>(*stmt);
          declare(let.name, stmt);
          if (const SymbolId symbol = declared(stmt); symbol.valid()) values_[symbol] = let.value;
          type(let.type);
          expr(let.value);
          break;
        }
        case StmtKind::Expr:
          expr(static_cast<const ExprStmt*>(stmt)->value);
          break;
        case StmtKind::Return:
          returned(static_cast<const ReturnStmt*>(stmt)->value);
          break;
        case StmtKind::Finally:
          block(static_cast<const FinallyStmt*>(stmt)->body);
          break;
      }
    }
  }

  /// The names of a returned record are the workflow's outputs.
  void returned(const Expr* value) {
    const SymbolId own = declared(decl_);
    if (value != nullptr && value->kind == ExprKind::Record && own.valid() &&
        program_.at(own).signature != nullptr) {
      for (const Argument& one : static_cast<const RecordExpr*>(value)->fields) {
        add(one.name, among(program_.at(own).signature->outputs, one.name.text));
      }
    }
    expr(value);
  }

  void expr(const Expr* e) {
    if (e == nullptr) return;
    switch (e->kind) {
      case ExprKind::Name:
        return add(static_cast<const NameExpr*>(e)->name, info_.exprs[e->id].symbol);
      case ExprKind::Member: {
        const auto& member = static_cast<const MemberExpr&>(*e);
        expr(member.object);
        const SymbolId known = info_.exprs[e->id].symbol;
        return add(member.member, known.valid() ? known : fieldOf(member.object, member.member.text));
      }
      case ExprKind::Call:
        return call(static_cast<const CallExpr&>(*e));
      case ExprKind::If: {
        const auto& node = static_cast<const IfExpr&>(*e);
        expr(node.condition);
        block(node.then);
        return block(node.otherwise);
      }
      case ExprKind::For: {
        const auto& node = static_cast<const ForExpr&>(*e);
        declare(node.variable, e);
        expr(node.items);
        return block(node.body);
      }
      case ExprKind::Loop: {
        const auto& node = static_cast<const LoopExpr&>(*e);
        declare(node.state, e);
        expr(node.start);
        expr(node.max);
        block(node.body);
        return expr(node.until);
      }
      case ExprKind::Tune: {
        const auto& node = static_cast<const TuneExpr&>(*e);
        call(*node.call);
        if (const sema::Signature* signature = calleeOf(*node.call)) {
          add(node.objective, among(signature->outputs, node.objective.text));
        }
        for (const Argument& one : node.method.settings) expr(one.value);
        for (const Argument& one : node.prior.settings) expr(one.value);
        return;
      }
      default:
        return sema::forEachChild(e, [this](const Expr* child) { expr(child); });
    }
  }

  void call(const CallExpr& node) {
    expr(node.callee);
    type(node.typeArgument);
    const sema::Signature* signature = calleeOf(node);
    for (const Argument& arg : node.args) {
      if (signature != nullptr) add(arg.name, among(signature->params, arg.name.text));
      expr(arg.value);
      expr(arg.when);
    }
  }

  const sema::Signature* calleeOf(const CallExpr& node) const {
    const auto binding = info_.calls.find(node.id);
    SymbolId callee;
    if (binding != info_.calls.end()) callee = binding->second.callee;
    if (!callee.valid() && node.callee != nullptr) callee = info_.exprs[node.callee->id].symbol;
    return callee.valid() ? program_.at(callee).signature : nullptr;
  }

  SymbolId columnOf(ir::TypeId type, std::string_view name) const {
    const auto row = rows_.find(type);
    if (row == rows_.end()) return {};
    const sema::Symbol& symbol = program_.at(row->second);
    if (symbol.signature == nullptr) return {};
    return among(symbol.kind == SymbolKind::Schema ? symbol.signature->params
                                                   : symbol.signature->columns,
                 name);
  }

  /// What `object.name` means where the checker knows a type only: a column of its schema, or an
  /// output of the step that made it.
  SymbolId fieldOf(const Expr* object, std::string_view name) const {
    if (object == nullptr) return {};
    ir::TypeId type = info_.exprs[object->id].type;
    while (type.valid()) {
      const ir::TypeKind kind = program_.types.kind(type);
      if (kind != ir::TypeKind::Optional && kind != ir::TypeKind::List && kind != ir::TypeKind::Table)
        break;
      type = program_.types[type].element;
    }
    if (const SymbolId column = columnOf(type, name); column.valid()) return column;
    return outputOf(object, name, 0);
  }

  SymbolId outputOf(const Expr* e, std::string_view name, int depth) const {
    while (e != nullptr && depth++ < 64) {
      switch (e->kind) {
        case ExprKind::Name: {
          const auto value = values_.find(info_.exprs[e->id].symbol);
          e = value == values_.end() ? nullptr : value->second;
          break;
        }
        case ExprKind::Call: {
          const sema::Signature* signature = calleeOf(static_cast<const CallExpr&>(*e));
          return signature == nullptr ? SymbolId{} : among(signature->outputs, name);
        }
        case ExprKind::After:
          e = static_cast<const AfterExpr*>(e)->operand;
          break;
        case ExprKind::Try:
          e = static_cast<const TryExpr*>(e)->operand;
          break;
        case ExprKind::Index:
          e = static_cast<const IndexExpr*>(e)->object;
          break;
        case ExprKind::For:
          e = lastOf(static_cast<const ForExpr*>(e)->body);
          break;
        case ExprKind::Loop:
          e = lastOf(static_cast<const LoopExpr*>(e)->body);
          break;
        case ExprKind::If:
          e = lastOf(static_cast<const IfExpr*>(e)->then);
          break;
        default:
          return {};
      }
    }
    return {};
  }
  static const Expr* lastOf(const Block* body) {
    if (body == nullptr || body->statements.empty()) return nullptr;
    const Stmt* last = body->statements.back();
    return last->kind == StmtKind::Expr ? static_cast<const ExprStmt*>(last)->value : nullptr;
  }

  const sema::Program& program_;
  std::string_view text_;
  FileId file_;
  const sema::FileInfo& info_;
  const Decl* decl_ = nullptr;
  std::unordered_map<ir::TypeId, SymbolId> rows_;      // row type -> what declares its columns
  std::unordered_map<SymbolId, const Expr*> values_;   // of `let`
  std::vector<Occurrence> found_;
};

}  // namespace

std::vector<Occurrence> findOccurrences(const sema::Program& program, std::string_view text,
                                        FileId file) {
  return Finder(program, text, file).run();
}

}  // namespace couler::lsp
