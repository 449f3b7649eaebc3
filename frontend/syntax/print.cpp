#include "frontend/syntax/print.h"

#include <fmt/format.h>

#include "support/text.h"

namespace couler::syntax {

std::string_view spelling(BinaryOp op) {
  switch (op) {
    case BinaryOp::Or:
      return "or";
    case BinaryOp::And:
      return "and";
    case BinaryOp::Equal:
      return "==";
    case BinaryOp::NotEqual:
      return "!=";
    case BinaryOp::Less:
      return "<";
    case BinaryOp::LessEqual:
      return "<=";
    case BinaryOp::Greater:
      return ">";
    case BinaryOp::GreaterEqual:
      return ">=";
    case BinaryOp::In:
      return "in";
    case BinaryOp::Coalesce:
      return "??";
    case BinaryOp::Range:
      return "..";
    case BinaryOp::Add:
      return "+";
    case BinaryOp::Subtract:
      return "-";
    case BinaryOp::Multiply:
      return "*";
    case BinaryOp::Divide:
      return "/";
    case BinaryOp::IntDivide:
      return "div";
    case BinaryOp::Remainder:
      return "%";
    case BinaryOp::Power:
      return "**";
    case BinaryOp::Pipe:
      return "|>";
  }
  return {};
}

std::string_view kindName(ExprKind kind) {
  switch (kind) {
#define X(name)        \
  case ExprKind::name: \
    return #name;
    COULER_EXPR_KINDS(X)
#undef X
  }
  return {};
}

std::string_view kindName(DeclKind kind) {
  switch (kind) {
    case DeclKind::Import:
      return "Import";
    case DeclKind::Enum:
      return "Enum";
    case DeclKind::Schema:
      return "Schema";
    case DeclKind::Fn:
      return "Fn";
    case DeclKind::Task:
      return "Task";
    case DeclKind::Workflow:
      return "Workflow";
    case DeclKind::Transform:
      return "Transform";
    case DeclKind::Labeler:
      return "Labeler";
    case DeclKind::Target:
      return "Target";
    case DeclKind::Test:
      return "Test";
    case DeclKind::Error:
      return "Error";
  }
  return {};
}

namespace {

class Printer {
 public:
  Printer(const Tree& tree, bool withSpans) : tree_(tree), withSpans_(withSpans) {}

  std::string run() {
    line("Tree", fmt::format("edition {}", tree_.edition), {});
    ++depth_;
    for (const Decl* d : tree_.decls) decl(*d);
    return std::move(out_);
  }

 private:
  struct Deeper {
    explicit Deeper(Printer& p) : printer(p) { ++printer.depth_; }
    ~Deeper() { --printer.depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;
    Printer& printer;
  };

  void line(std::string_view kind, std::string_view rest, Span at) {
    out_.append(depth_ * 2, ' ');
    out_ += kind;
    if (!rest.empty()) {
      out_ += ' ';
      out_ += rest;
    }
    if (withSpans_ && at.valid())
      fmt::format_to(std::back_inserter(out_), " @{}..{}", at.begin, at.end);
    out_ += '\n';
  }
  void doc(std::string_view text) {
    if (!text.empty()) line("doc", jsonQuote(text), {});
  }
  void labelled(std::string_view label, const Expr* e) {
    if (e == nullptr) return;
    line(label, {}, {});
    Deeper in(*this);
    expr(*e);
  }

  // ---- declarations

  void decl(const Decl& d) {
    switch (d.kind) {
      case DeclKind::Import:
        importDecl(static_cast<const ImportDecl&>(d));
        return;
      case DeclKind::Task: {
        const auto& task = static_cast<const TaskDecl&>(d);
        line("Task", fmt::format("{}{}", d.name.text, task.isVolatile ? " volatile" : ""), d.span);
        break;
      }
      case DeclKind::Test:
        line("Test", jsonQuote(static_cast<const TestDecl&>(d).title), d.span);
        break;
      case DeclKind::Target:
        line("Target",
             fmt::format("{} = {}", d.name.text, static_cast<const TargetDecl&>(d).engine.text),
             d.span);
        break;
      default:
        line(kindName(d.kind), d.name.text, d.span);
        break;
    }
    Deeper in(*this);
    doc(d.doc);
    switch (d.kind) {
      case DeclKind::Enum:
        for (const EnumCase& c : static_cast<const EnumDecl&>(d).cases) {
          line("case", c.name.text, c.name.span);
          Deeper deeper(*this);
          doc(c.doc);
        }
        break;
      case DeclKind::Schema:
        fields("column", static_cast<const SchemaDecl&>(d).columns);
        break;
      case DeclKind::Fn: {
        const auto& fn = static_cast<const FnDecl&>(d);
        fields("param", fn.params);
        if (fn.result != nullptr) line("result", typeText(*fn.result), fn.result->span);
        labelled("body", fn.body);
        break;
      }
      case DeclKind::Task:
        task(static_cast<const TaskDecl&>(d));
        break;
      case DeclKind::Workflow: {
        const auto& w = static_cast<const WorkflowDecl&>(d);
        fields("param", w.params);
        fields("output", w.outputs);
        block(*w.body);
        break;
      }
      case DeclKind::Transform:
        transform(static_cast<const TransformDecl&>(d));
        break;
      case DeclKind::Labeler: {
        const auto& l = static_cast<const LabelerDecl&>(d);
        field("param", l.param);
        line("result", typeText(*l.result), l.result->span);
        for (const Vote& v : l.votes) {
          line("vote",
               v.rule.text.empty() ? std::string(v.label.text)
                                   : fmt::format("{} as {}", v.label.text, v.rule.text),
               v.span);
          Deeper deeper(*this);
          expr(*v.when);
        }
        break;
      }
      case DeclKind::Target:
        settings(static_cast<const TargetDecl&>(d).settings);
        break;
      case DeclKind::Test: {
        const auto& t = static_cast<const TestDecl&>(d);
        for (const Stmt* s : t.body->statements) stmt(*s);
        for (const Expr* e : t.expectations) labelled("expect", e);
        break;
      }
      default:
        break;
    }
  }

  void importDecl(const ImportDecl& d) {
    std::string text = d.isStd ? fmt::format("std.{}", d.path) : jsonQuote(d.path);
    if (!d.alias.text.empty()) text += fmt::format(" as {}", d.alias.text);
    line("Import", text, d.span);
    Deeper in(*this);
    doc(d.doc);
    if (d.hasNames && d.names.empty()) line("names", "none", {});
    for (const ImportedName& n : d.names) {
      line("name",
           n.alias.text.empty() ? std::string(n.name.text)
                                : fmt::format("{} as {}", n.name.text, n.alias.text),
           n.name.span);
    }
  }

  void task(const TaskDecl& t) {
    fields("param", t.params);
    fields("output", t.outputs);
    labelled("image", t.image);
    group("resources", t.resources);
    group("env", t.env);
    tries(t);
    labelled("cache", t.cache);
    static constexpr std::string_view kRun[] = {"none", "argv", "sh", "python"};
    if (t.run == RunKind::None) return;
    line("run", kRun[static_cast<std::size_t>(t.run)], t.runSpan);
    Deeper in(*this);
    expr(*t.runBody);
  }

  void group(std::string_view label, std::span<const Setting> list) {
    if (list.empty()) return;
    line(label, {}, {});
    Deeper in(*this);
    settings(list);
  }

  void tries(const StepSettings& s) {
    labelled("timeout", s.timeout);
    labelled("retry", s.retryCount);
    Deeper in(*this);
    settings(s.retry);
  }

  void transform(const TransformDecl& d) {
    fields("param", d.params);
    group("resources", d.resources);
    tries(d);
    for (const TransformStmt& s : d.statements) {
      static constexpr std::string_view kKinds[] = {"where",    "derive", "spread",   "group by",
                                                    "order by", "limit",  "distinct", "join"};
      static constexpr std::string_view kJoins[] = {"", " left", " semi", " anti"};
      static constexpr std::string_view kDirections[] = {"", "asc", "desc"};
      std::string rest(s.name.text);
      if (s.kind == TransformKind::Join) rest += kJoins[static_cast<std::size_t>(s.join)];
      for (const Name& n : s.without) rest += fmt::format(" without {}", n.text);
      line(kKinds[static_cast<std::size_t>(s.kind)], rest, s.span);
      Deeper in(*this);
      if (s.value != nullptr) expr(*s.value);
      for (const TransformKey& key : s.keys) {
        if (key.name.text.empty() && key.direction == Direction::None) {
          expr(*key.value);
        } else {
          line("key", fmt::format("{}{}", key.name.text,
                                  kDirections[static_cast<std::size_t>(key.direction)]),
               key.name.span);
          Deeper deeper(*this);
          expr(*key.value);
        }
      }
    }
  }

  void settings(std::span<const Setting> list) {
    for (const Setting& s : list) {
      line("setting", s.key.text, s.key.span);
      Deeper in(*this);
      expr(*s.value);
    }
  }

  void fields(std::string_view label, std::span<const Field> list) {
    for (const Field& f : list) field(label, f);
  }
  void field(std::string_view label, const Field& f) {
    line(label, fmt::format("{}: {}", f.name.text, typeText(*f.type)), f.span);
    Deeper in(*this);
    doc(f.doc);
    if (f.fromSpan.valid()) line("from", jsonQuote(f.from), f.fromSpan);
    if (f.value != nullptr) expr(*f.value);
    labelled("where", f.where);
  }

  std::string typeText(const TypeExpr& t) {
    switch (t.kind) {
      case TypeKind::Error:
        return "<error>";
      case TypeKind::Optional:
        return typeText(*static_cast<const OptionalType&>(t).inner) + "?";
      case TypeKind::Named: {
        const auto& n = static_cast<const NamedType&>(t);
        std::string text;
        if (!n.module.text.empty()) text = fmt::format("{}.", n.module.text);
        text += n.name.text;
        for (std::size_t i = 0; i < n.args.size(); ++i) {
          text += (i == 0 ? "<" : ", ") + typeText(*n.args[i]);
        }
        return n.args.empty() ? text : text + ">";
      }
      case TypeKind::Record: {
        std::string text = "(";
        for (const Field& f : static_cast<const RecordType&>(t).fields) {
          if (text.size() > 1) text += ", ";
          text += fmt::format("{}: {}", f.name.text, typeText(*f.type));
        }
        return text + ")";
      }
    }
    return {};
  }

  // ---- statements

  void block(const Block& b) {
    line("block", {}, b.span);
    Deeper in(*this);
    for (const Stmt* s : b.statements) stmt(*s);
  }

  void stmt(const Stmt& s) {
    switch (s.kind) {
      case StmtKind::Let: {
        const auto& let = static_cast<const LetStmt&>(s);
        line("let",
             let.type == nullptr ? std::string(let.name.text)
                                 : fmt::format("{}: {}", let.name.text, typeText(*let.type)),
             s.span);
        Deeper in(*this);
        expr(*let.value);
        return;
      }
      case StmtKind::Expr:
        expr(*static_cast<const ExprStmt&>(s).value);
        return;
      case StmtKind::Return: {
        line("return", {}, s.span);
        Deeper in(*this);
        if (const Expr* value = static_cast<const ReturnStmt&>(s).value) expr(*value);
        return;
      }
      case StmtKind::Finally: {
        line("finally", {}, s.span);
        Deeper in(*this);
        block(*static_cast<const FinallyStmt&>(s).body);
        return;
      }
    }
  }

  // ---- expressions

  void arguments(std::span<const Argument> args) {
    for (const Argument& a : args) {
      if (!a.name.text.empty()) {
        line("arg", fmt::format("{}{}", a.name.text, a.inSpace ? " in" : ""), a.span);
      } else {
        line("arg", a.spread ? "..." : "", a.span);
      }
      Deeper in(*this);
      expr(*a.value);
      labelled("if", a.when);
    }
  }

  void expr(const Expr& e) {
    line(kindName(e.kind), detail(e), e.span);
    Deeper in(*this);
    switch (e.kind) {
      case ExprKind::String: {
        const auto& s = static_cast<const StringExpr&>(e);
        if (s.parts.size() == 1 && s.parts[0].expr == nullptr) return;
        for (const StringPart& part : s.parts) {
          if (part.expr != nullptr) {
            expr(*part.expr);
          } else {
            line("text", jsonQuote(part.text), part.span);
          }
        }
        return;
      }
      case ExprKind::Member:
        expr(*static_cast<const MemberExpr&>(e).object);
        return;
      case ExprKind::Index: {
        const auto& i = static_cast<const IndexExpr&>(e);
        expr(*i.object);
        expr(*i.index);
        return;
      }
      case ExprKind::Call: {
        const auto& c = static_cast<const CallExpr&>(e);
        expr(*c.callee);
        if (c.typeArgument != nullptr)
          line("type", typeText(*c.typeArgument), c.typeArgument->span);
        arguments(c.args);
        return;
      }
      case ExprKind::List:
        for (const ListItem& item : static_cast<const ListExpr&>(e).items) {
          if (item.spread) {
            labelled("...", item.value);
          } else {
            expr(*item.value);
          }
        }
        return;
      case ExprKind::Map:
        for (const MapEntry& entry : static_cast<const MapExpr&>(e).entries) {
          labelled("key", entry.key);
          labelled("value", entry.value);
        }
        return;
      case ExprKind::Record:
        arguments(static_cast<const RecordExpr&>(e).fields);
        return;
      case ExprKind::Unary:
        expr(*static_cast<const UnaryExpr&>(e).operand);
        return;
      case ExprKind::Binary:
        expr(*static_cast<const BinaryExpr&>(e).left);
        expr(*static_cast<const BinaryExpr&>(e).right);
        return;
      case ExprKind::If: {
        const auto& i = static_cast<const IfExpr&>(e);
        expr(*i.condition);
        block(*i.then);
        if (i.otherwise != nullptr) {
          line("else", {}, {});
          Deeper deeper(*this);
          block(*i.otherwise);
        }
        return;
      }
      case ExprKind::For:
        expr(*static_cast<const ForExpr&>(e).items);
        block(*static_cast<const ForExpr&>(e).body);
        return;
      case ExprKind::Loop: {
        const auto& l = static_cast<const LoopExpr&>(e);
        labelled("start", l.start);
        labelled("max", l.max);
        block(*l.body);
        labelled("until", l.until);
        return;
      }
      case ExprKind::Try:
        expr(*static_cast<const TryExpr&>(e).operand);
        return;
      case ExprKind::After: {
        expr(*static_cast<const AfterExpr&>(e).operand);
        for (const Expr* after : static_cast<const AfterExpr&>(e).after) labelled("after", after);
        return;
      }
      case ExprKind::Tune: {
        const auto& t = static_cast<const TuneExpr&>(e);
        expr(*t.call);
        for (const auto& [word, clause] : {std::pair{"using", &t.method}, {"prior", &t.prior}}) {
          if (clause->name.text.empty()) continue;
          line(word, clause->name.text, clause->name.span);
          Deeper deeper(*this);
          arguments(clause->settings);
        }
        return;
      }
      default:
        return;
    }
  }

  static std::string detail(const Expr& e) {
    switch (e.kind) {
      case ExprKind::Int:
        return fmt::format("{}", static_cast<const IntExpr&>(e).value);
      case ExprKind::Float:
        return fmt::format("{}", static_cast<const FloatExpr&>(e).value);
      case ExprKind::Quantity: {
        const auto& q = static_cast<const QuantityExpr&>(e);
        return q.isInt ? fmt::format("{} {}", q.integer, q.unit.text)
                       : fmt::format("{} {}", q.number, q.unit.text);
      }
      case ExprKind::Bool:
        return static_cast<const BoolExpr&>(e).value ? "true" : "false";
      case ExprKind::String: {
        const auto& s = static_cast<const StringExpr&>(e);
        return s.parts.size() == 1 && s.parts[0].expr == nullptr ? jsonQuote(s.parts[0].text)
                                                                 : std::string();
      }
      case ExprKind::RawString:
        return jsonQuote(static_cast<const RawStringExpr&>(e).text);
      case ExprKind::Regex:
        return jsonQuote(static_cast<const RegexExpr&>(e).pattern);
      case ExprKind::Name:
        return std::string(static_cast<const NameExpr&>(e).name.text);
      case ExprKind::Member: {
        const auto& m = static_cast<const MemberExpr&>(e);
        return fmt::format("{}{}", m.optional ? "?." : ".", m.member.text);
      }
      case ExprKind::Unary:
        return static_cast<const UnaryExpr&>(e).op == UnaryOp::Not ? "not" : "-";
      case ExprKind::Binary:
        return std::string(spelling(static_cast<const BinaryExpr&>(e).op));
      case ExprKind::For:
        return std::string(static_cast<const ForExpr&>(e).variable.text);
      case ExprKind::Loop:
        return std::string(static_cast<const LoopExpr&>(e).state.text);
      case ExprKind::Tune: {
        const auto& t = static_cast<const TuneExpr&>(e);
        return fmt::format("{} {}", t.maximize ? "maximize" : "minimize", t.objective.text);
      }
      default:
        return {};
    }
  }

  const Tree& tree_;
  bool withSpans_;
  std::size_t depth_ = 0;
  std::string out_;
};

}  // namespace

std::string print(const Tree& tree, bool withSpans) { return Printer(tree, withSpans).run(); }

}  // namespace couler::syntax
