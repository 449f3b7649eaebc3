#include <algorithm>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "driver/print_stages.h"
#include "support/text.h"

namespace couler::driver {
namespace {

using namespace syntax;  // NOLINT(google-build-using-namespace): every line below names its types

constexpr std::size_t kMaxIndent = 120;

using Part = std::variant<const Expr*, const Stmt*, const Block*, const TypeExpr*, const Field*,
                          const Decl*>;

/// One thing still to print: an optional role ("value"), and what it is.
struct Item {
  std::size_t depth;
  std::string role;
  Part part;
};

std::string_view word(ExprKind kind) {
  switch (kind) {
#define X(name)        \
  case ExprKind::name: \
    return #name;
    COULER_EXPR_KINDS(X)
#undef X
  }
  return "Error";
}

std::string_view word(DeclKind kind) {
  static constexpr std::string_view kWords[] = {"Import", "Enum",     "Schema",    "Fn",
                                                "Task",   "Workflow", "Transform", "Labeler",
                                                "Target", "Test",     "Error"};
  return kWords[static_cast<std::size_t>(kind)];
}

std::string_view word(StmtKind kind) {
  static constexpr std::string_view kWords[] = {"Let", "Expr", "Return", "Finally"};
  return kWords[static_cast<std::size_t>(kind)];
}

std::string_view word(TransformKind kind) {
  static constexpr std::string_view kWords[] = {"where",    "derive", "spread",   "group by",
                                                "order by", "limit",  "distinct", "join"};
  return kWords[static_cast<std::size_t>(kind)];
}

std::string_view word(BinaryOp op) {
  static constexpr std::string_view kWords[] = {"or", "and", "==", "!=", "<", "<=", ">",
                                                ">=", "in",  "??", "..", "+", "-",  "*",
                                                "/",  "div", "%",  "**", "|>"};
  return kWords[static_cast<std::size_t>(op)];
}

/// Walks with a stack of its own: a chain of a hundred thousand operands is as deep as it is long.
class Printer {
 public:
  explicit Printer(const SourceManager& sources) : sources_(sources) {}

  std::string print(const Tree& tree) {
    text_ = fmt::format("file {} edition {}\n", jsonQuote(sources_.path(tree.file)), tree.edition);
    for (const Decl* decl : tree.decls) {
      stack_.push_back({1, "", decl});
      while (!stack_.empty()) {
        const Item item = std::move(stack_.back());
        stack_.pop_back();
        depth_ = item.depth;
        role_ = item.role;
        std::visit([this](const auto* part) { one(*part); }, item.part);
        std::reverse(children_.begin(), children_.end());
        for (Item& child : children_) stack_.push_back(std::move(child));
        children_.clear();
      }
    }
    return std::move(text_);
  }

 private:
  void line(std::string_view what, Span at) {
    text_.append(2 * std::min(depth_, kMaxIndent), ' ');
    if (!role_.empty()) text_ += role_ + ": ";
    text_ += what;
    if (at.valid()) {
      const LineColumn place = sources_.lineColumn(at.file, at.begin);
      text_ += fmt::format("  @{}:{}", place.line, place.column);
    }
    text_ += '\n';
  }
  template <class T>
  void child(std::string role, const T* part) {
    if (part != nullptr) children_.push_back({depth_ + 1, std::move(role), part});
  }
  void children(std::span<const Field> fields, const std::string& role) {
    for (const Field& field : fields) child(role, &field);
  }
  void children(std::span<const Argument> args) {
    for (const Argument& arg : args) {
      std::string role =
          arg.name.text.empty() ? "argument" : "argument " + std::string(arg.name.text);
      if (arg.spread) role += " spread";
      if (arg.inSpace) role += " in";
      child(std::move(role), arg.value);
    }
  }
  void children(std::span<const Setting> settings, const std::string& role) {
    for (const Setting& setting : settings)
      child(role + " " + std::string(setting.key.text), setting.value);
  }

  void one(const Block& block) {
    line("Block", block.span);
    for (const Stmt* stmt : block.statements) child("", stmt);
  }
  void one(const Stmt& stmt) {
    switch (stmt.kind) {
      case StmtKind::Let: {
        const auto& let = static_cast<const LetStmt&>(stmt);
        line("Let " + std::string(let.name.text), stmt.span);
        child("type", let.type);
        child("value", let.value);
        break;
      }
      case StmtKind::Expr:
        line(word(stmt.kind), stmt.span);
        child("value", static_cast<const ExprStmt&>(stmt).value);
        break;
      case StmtKind::Return:
        line(word(stmt.kind), stmt.span);
        child("value", static_cast<const ReturnStmt&>(stmt).value);
        break;
      case StmtKind::Finally:
        line(word(stmt.kind), stmt.span);
        child("body", static_cast<const FinallyStmt&>(stmt).body);
        break;
    }
  }
  void one(const Field& field) {
    line(fmt::format("Field {}", field.name.text), field.span);
    child("type", field.type);
    child("value", field.value);
    child("where", field.where);
  }
  void one(const TypeExpr& type) {
    switch (type.kind) {
      case TypeKind::Error:
        line("ErrorType", type.span);
        break;
      case TypeKind::Named: {
        const auto& named = static_cast<const NamedType&>(type);
        std::string name(named.name.text);
        if (!named.module.text.empty()) name = std::string(named.module.text) + "." + name;
        line("NamedType " + name, type.span);
        for (const TypeExpr* arg : named.args) child("argument", arg);
        break;
      }
      case TypeKind::Optional:
        line("OptionalType", type.span);
        child("inner", static_cast<const OptionalType&>(type).inner);
        break;
      case TypeKind::Record:
        line("RecordType", type.span);
        children(static_cast<const RecordType&>(type).fields, "field");
        break;
    }
  }
  void one(const Expr& expr);
  void one(const Decl& decl);
  void task(const TaskDecl& decl);
  void transform(const TransformDecl& decl);

  const SourceManager& sources_;
  std::string text_;
  std::vector<Item> stack_;
  std::vector<Item> children_;
  std::size_t depth_ = 0;
  std::string role_;
};

void Printer::one(const Expr& expr) {
  std::string head(word(expr.kind));
  switch (expr.kind) {
    case ExprKind::Error:
    case ExprKind::None:
      break;
    case ExprKind::Int:
      head += fmt::format(" {}", static_cast<const IntExpr&>(expr).value);
      break;
    case ExprKind::Float:
      head += fmt::format(" {}", static_cast<const FloatExpr&>(expr).value);
      break;
    case ExprKind::Quantity:
    case ExprKind::Name:
      head += " " + std::string(sources_.text(expr.span));
      break;
    case ExprKind::Bool:
      head += static_cast<const BoolExpr&>(expr).value ? " true" : " false";
      break;
    case ExprKind::String:
      for (const StringPart& part : static_cast<const StringExpr&>(expr).parts) {
        if (part.expr == nullptr) head += " " + jsonQuote(part.text);
        child("part", part.expr);
      }
      break;
    case ExprKind::RawString:
      head += " " + jsonQuote(static_cast<const RawStringExpr&>(expr).text);
      break;
    case ExprKind::Regex:
      head += " " + jsonQuote(static_cast<const RegexExpr&>(expr).pattern);
      break;
    case ExprKind::Member: {
      const auto& member = static_cast<const MemberExpr&>(expr);
      head += (member.optional ? " ?." : " .") + std::string(member.member.text);
      child("object", member.object);
      break;
    }
    case ExprKind::Index:
      child("object", static_cast<const IndexExpr&>(expr).object);
      child("index", static_cast<const IndexExpr&>(expr).index);
      break;
    case ExprKind::Call:
      child("callee", static_cast<const CallExpr&>(expr).callee);
      children(static_cast<const CallExpr&>(expr).args);
      break;
    case ExprKind::List:
      for (const ListItem& item : static_cast<const ListExpr&>(expr).items) {
        child(item.spread ? "spread" : "item", item.value);
      }
      break;
    case ExprKind::Map:
      for (const MapEntry& entry : static_cast<const MapExpr&>(expr).entries) {
        child("key", entry.key);
        child("value", entry.value);
      }
      break;
    case ExprKind::Record:
      children(static_cast<const RecordExpr&>(expr).fields);
      break;
    case ExprKind::Unary:
      head += static_cast<const UnaryExpr&>(expr).op == UnaryOp::Not ? " not" : " -";
      child("operand", static_cast<const UnaryExpr&>(expr).operand);
      break;
    case ExprKind::Binary:
      head += " " + std::string(word(static_cast<const BinaryExpr&>(expr).op));
      child("left", static_cast<const BinaryExpr&>(expr).left);
      child("right", static_cast<const BinaryExpr&>(expr).right);
      break;
    case ExprKind::If:
      child("condition", static_cast<const IfExpr&>(expr).condition);
      child("then", static_cast<const IfExpr&>(expr).then);
      child("else", static_cast<const IfExpr&>(expr).otherwise);
      break;
    case ExprKind::For:
      head += " " + std::string(static_cast<const ForExpr&>(expr).variable.text);
      child("items", static_cast<const ForExpr&>(expr).items);
      child("body", static_cast<const ForExpr&>(expr).body);
      break;
    case ExprKind::Loop:
      head += " " + std::string(static_cast<const LoopExpr&>(expr).state.text);
      child("start", static_cast<const LoopExpr&>(expr).start);
      child("max", static_cast<const LoopExpr&>(expr).max);
      child("body", static_cast<const LoopExpr&>(expr).body);
      child("until", static_cast<const LoopExpr&>(expr).until);
      break;
    case ExprKind::Try:
      child("operand", static_cast<const TryExpr&>(expr).operand);
      break;
    case ExprKind::After:
      child("operand", static_cast<const AfterExpr&>(expr).operand);
      for (const Expr* after : static_cast<const AfterExpr&>(expr).after) child("after", after);
      break;
    case ExprKind::Tune: {
      const auto& tune = static_cast<const TuneExpr&>(expr);
      head += fmt::format(" {} {} using {}", tune.maximize ? "maximize" : "minimize",
                          tune.objective.text, tune.algorithm.text);
      child("call", static_cast<const Expr*>(tune.call));
      children(tune.settings);
      break;
    }
  }
  line(head, expr.span);
}

void Printer::task(const TaskDecl& decl) {
  children(decl.params, "param");
  children(decl.outputs, "output");
  child("image", decl.image);
  children(decl.resources, "resources");
  children(decl.env, "env");
  child("timeout", decl.timeout);
  child("retry", decl.retryCount);
  children(decl.retry, "retry");
  child("cache", decl.cache);
  static constexpr std::string_view kRun[] = {"run", "run argv", "run sh", "run python"};
  child(std::string(kRun[static_cast<std::size_t>(decl.run)]), decl.runBody);
}

void Printer::transform(const TransformDecl& decl) {
  child("param", &decl.param);
  for (const TransformStmt& stmt : decl.statements) {
    std::string role(word(stmt.kind));
    if (!stmt.name.text.empty()) role += " " + std::string(stmt.name.text);
    for (const Name& name : stmt.without) role += " without " + std::string(name.text);
    child(role, stmt.value);
    for (const Expr* expr : stmt.exprs) child(role, expr);
  }
}

void Printer::one(const Decl& decl) {
  std::string head(word(decl.kind));
  if (!decl.name.text.empty()) head += " " + std::string(decl.name.text);
  switch (decl.kind) {
    case DeclKind::Import: {
      const auto& import = static_cast<const ImportDecl&>(decl);
      head += (import.isStd ? " std." : " ") + std::string(import.path);
      for (const ImportedName& name : import.names) head += " " + std::string(name.name.text);
      if (!import.alias.text.empty()) head += " as " + std::string(import.alias.text);
      break;
    }
    case DeclKind::Enum:
      for (const EnumCase& item : static_cast<const EnumDecl&>(decl).cases)
        head += " " + std::string(item.name.text);
      break;
    case DeclKind::Schema:
      children(static_cast<const SchemaDecl&>(decl).columns, "column");
      break;
    case DeclKind::Fn:
      children(static_cast<const FnDecl&>(decl).params, "param");
      child("result", static_cast<const FnDecl&>(decl).result);
      child("body", static_cast<const FnDecl&>(decl).body);
      break;
    case DeclKind::Task:
      if (static_cast<const TaskDecl&>(decl).isVolatile) head += " volatile";
      task(static_cast<const TaskDecl&>(decl));
      break;
    case DeclKind::Workflow:
      children(static_cast<const WorkflowDecl&>(decl).params, "param");
      children(static_cast<const WorkflowDecl&>(decl).outputs, "output");
      child("body", static_cast<const WorkflowDecl&>(decl).body);
      break;
    case DeclKind::Transform:
      transform(static_cast<const TransformDecl&>(decl));
      break;
    case DeclKind::Labeler: {
      const auto& labeler = static_cast<const LabelerDecl&>(decl);
      child("param", &labeler.param);
      child("result", labeler.result);
      for (const Vote& vote : labeler.votes)
        child("vote " + std::string(vote.label.text), vote.when);
      break;
    }
    case DeclKind::Target:
      head += " = " + std::string(static_cast<const TargetDecl&>(decl).engine.text);
      children(static_cast<const TargetDecl&>(decl).settings, "setting");
      break;
    case DeclKind::Test: {
      const auto& test = static_cast<const TestDecl&>(decl);
      head += " " + jsonQuote(test.title);
      child("body", test.body);
      for (const Expr* expr : test.expectations) child("expect", expr);
      break;
    }
    case DeclKind::Error:
      break;
  }
  line(head, decl.span);
}

}  // namespace

std::string syntaxText(const SourceManager& sources, const Tree& tree) {
  return Printer(sources).print(tree);
}

}  // namespace couler::driver
