#include "ir/print.h"

#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <utility>

#include "ir/text_lexer.h"
#include "ir/text_words.h"

// The writing half of docs/ir.md; ir/text_parser.cpp is the other.
namespace couler::ir {

namespace {

using text::appendQuoted;
using text::isWord;

class Printer {
 public:
  explicit Printer(const Module& module)
      : module_(module),
        numbers_(module.nodes.size(), kNoNumber),
        typeTexts_(module.types.size()) {}

  std::string run() {
    for (const TaskDef& task : module_.tasks) printTask(task);
    for (const FuncDef& func : module_.funcs) printFunc(func);
    for (const TargetDef& target : module_.targets) printTarget(target);
    for (const TestDef& test : module_.tests) {
      out_ += "\ntest ";
      appendQuoted(out_, test.title);
      out_ += ' ';
      printRegion(test.body, 0);
      out_ += '\n';
    }
    if (module_.entry.index() < module_.funcs.size()) {
      out_ += "\nentry ";
      name(module_.at(module_.entry).name);
      out_ += '\n';
    }
    return finish();
  }

  std::string runTask(const TaskDef& task) {
    printTask(task);
    return finish();
  }

 private:
  /// The header and the types come first, though they are known last.
  std::string finish() {
    std::string head(text::kHeader);
    head += ' ' + std::to_string(text::kVersion) + '\n';
    if (!nominals_.empty()) head += '\n' + nominals_;
    return head + out_;
  }

  static constexpr std::uint32_t kNoNumber = 0xffffffffU;

  // ---- words and numbers
  void name(std::string_view text) {
    if (isWord(text)) {
      out_ += text;
    } else {
      appendQuoted(out_, text);
    }
  }
  void number(std::int64_t value) { out_ += std::to_string(value); }
  void number(double value) {
    if (std::isnan(value)) {
      out_ += "nan";
    } else if (std::isinf(value)) {
      out_ += value > 0 ? "inf" : "neg_inf";
    } else {
      std::array<char, 40> buffer{};
      const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
      const std::string_view digits(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
      out_ += digits;
      if (digits.find_first_of(".e") == std::string_view::npos) out_ += ".0";
    }
  }
  void indent(std::size_t depth) { out_.append(2 * depth, ' '); }
  void keyword(std::size_t depth, std::string_view word) {
    indent(depth);
    out_ += word;
  }
  void quotedLine(std::size_t depth, std::string_view word, std::string_view content) {
    if (content.empty()) return;
    keyword(depth, word);
    out_ += ' ';
    appendQuoted(out_, content);
    out_ += '\n';
  }
  void numberLine(std::string_view word, std::int64_t value, std::int64_t usual) {
    if (value == usual) return;
    keyword(1, word);
    out_ += ' ';
    number(value);
    out_ += '\n';
  }

  // ---- types
  /// Text of a type; enums and schemas met for the first time are declared at the top.
  const std::string& type(TypeId id) {
    static const std::string kBad = "\"?\"";
    if (id.index() >= typeTexts_.size()) return kBad;
    std::string& text = typeTexts_[id.index()];
    if (text.empty()) {
      // A copy first: what makeType asks for may be this type again only if types could recur,
      // which they cannot, since a type is interned after its parts.
      std::string made = makeType(id);
      text = std::move(made);
    }
    return text;
  }

  std::string makeType(TypeId id) {
    const Type& t = module_.types[id];
    switch (t.kind) {
      case TypeKind::File:
        if (t.name.empty()) return "file";
        return "file<" + quotedUnlessWord(t.name) + ">";
      case TypeKind::Enum:
      case TypeKind::Schema:
        return declare(t);
      case TypeKind::Table:
        return "table<" + type(t.element) + ">";
      case TypeKind::List:
        return "list<" + type(t.element) + ">";
      case TypeKind::Map:
        return "map<string, " + type(t.element) + ">";
      case TypeKind::Optional:
        return type(t.element) + "?";
      case TypeKind::Record:
        return fields(t, "(", ")");
      default:
        return std::string(text::kPlainTypes[id.index()]);
    }
  }

  std::string fields(const Type& t, std::string_view open, std::string_view close) {
    std::string text(open);
    for (std::size_t i = 0; i < t.fields.size(); ++i) {
      if (i != 0) text += ", ";
      text += quotedUnlessWord(t.fields[i].name) + ": " + type(t.fields[i].type);
    }
    text += close;
    return text;
  }

  static std::string quotedUnlessWord(std::string_view name) {
    if (isWord(name)) return std::string(name);
    std::string quoted;
    appendQuoted(quoted, name);
    return quoted;
  }

  std::string declare(const Type& t) {
    std::string alias = t.name;
    for (int n = 2; !aliases_.insert(alias).second; ++n) alias = t.name + "~" + std::to_string(n);
    bool plain = isWord(alias);
    for (const std::string_view word : text::kPlainTypes) plain = plain && word != alias;
    for (const std::string_view word : {"list", "map", "table"}) plain = plain && word != alias;
    std::string reference;
    if (plain) {
      reference = alias;
    } else {
      appendQuoted(reference, alias);
    }
    // The parts are declared before what uses them.
    const std::string body = t.kind == TypeKind::Schema ? fields(t, " { ", " }") : cases(t);
    std::string line = (t.kind == TypeKind::Enum ? "enum " : "schema ") + reference;
    if (alias != t.name) {
      line += " named ";
      appendQuoted(line, t.name);
    }
    line += " from ";
    appendQuoted(line, t.origin);
    nominals_ += line + body + '\n';
    return reference;
  }

  static std::string cases(const Type& t) {
    std::string text = " { ";
    for (std::size_t i = 0; i < t.cases.size(); ++i) {
      if (i != 0) text += ", ";
      text += quotedUnlessWord(t.cases[i]);
    }
    return text + " }";
  }

  // ---- values
  void value(const Value& v) {
    std::visit(
        Overloaded{[&](None) { out_ += "none"; }, [&](bool b) { out_ += b ? "true" : "false"; },
                   [&](std::int64_t n) { number(n); }, [&](double x) { number(x); },
                   [&](const std::string& s) { appendQuoted(out_, s); },
                   [&](Duration d) {
                     out_ += "duration ";
                     number(d.micros);
                   },
                   [&](Size s) {
                     out_ += "size ";
                     number(s.bytes);
                   },
                   [&](Timestamp t) {
                     out_ += "timestamp ";
                     number(t.micros);
                   },
                   [&](const EnumCase& c) {
                     out_ += "case ";
                     name(c.name);
                   },
                   [&](const FileRef& f) {
                     out_ += f.isDir ? "dir " : "file ";
                     appendQuoted(out_, f.path);
                     if (f.digest.empty()) return;
                     out_ += " digest ";
                     appendQuoted(out_, f.digest);
                   },
                   [&](const SecretRef& s) {
                     out_ += "secret ";
                     appendQuoted(out_, s.source);
                   },
                   [&](const ListValue& list) {
                     out_ += '[';
                     bool first = true;
                     if (list.items != nullptr) {
                       for (const Value& item : *list.items) {
                         if (!std::exchange(first, false)) out_ += ", ";
                         value(item);
                       }
                     }
                     out_ += ']';
                   },
                   [&](const MapValue& map) { named(map.entries.get(), '{', '}'); },
                   [&](const RecordValue& record) { named(record.fields.get(), '(', ')'); }},
        v.data());
  }

  void named(const NamedItems* items, char open, char close) {
    out_ += open;
    bool first = true;
    if (items != nullptr) {
      for (const auto& [key, item] : *items) {
        if (!std::exchange(first, false)) out_ += ", ";
        name(key);
        out_ += ": ";
        value(item);
      }
    }
    out_ += close;
  }

  void constant(ConstId id) {
    if (id.index() < module_.constantCount()) {
      value(module_.at(id));
    } else {
      out_ += '?';
    }
  }

  // ---- nodes and regions
  void node(NodeId id) {
    out_ += '%';
    const bool known = id.index() < numbers_.size() && numbers_[id.index()] != kNoNumber;
    out_ += known ? std::to_string(numbers_[id.index()]) : "?";
  }
  void nodeList(std::span<const NodeId> ids) {
    bool first = true;
    for (const NodeId id : ids) {
      if (!std::exchange(first, false)) out_ += ", ";
      node(id);
    }
  }
  void nodeName(NameId id) {
    if (id.index() >= module_.nameCount()) return;
    out_ += ' ';
    name(module_.at(id));
  }
  template <class Defs>
  void definitionName(const Defs& defs, std::size_t index) {
    out_ += ' ';
    if (index < defs.size()) {
      name(defs[index].name);
    } else {
      out_ += '?';
    }
  }

  void tail(NodeId id) {
    const Node& n = module_.at(id);
    out_ += ": ";
    out_ += type(n.type);
    const text::Attributes usual = text::usualAttributes(n.payload);
    std::string listed;
    const auto list = [&](std::string_view word) {
      if (!listed.empty()) listed += ", ";
      listed += word;
    };
    if (n.effect != usual.effect) list(text::kEffects[static_cast<std::size_t>(n.effect)]);
    if (n.footprint != usual.footprint) {
      list(text::kFootprints[static_cast<std::size_t>(n.footprint)]);
    }
    if (n.phase != usual.phase) list(text::kPhases[static_cast<std::size_t>(n.phase)]);
    if (!listed.empty()) out_ += " [" + listed + "]";
    if (const auto cost = module_.costs.find(id); cost != module_.costs.end()) {
      out_ += " cost ";
      number(cost->second.seconds);
      out_ += ' ';
      number(cost->second.bytesOut);
      if (cost->second.measured) out_ += " measured";
    }
  }

  void rows(const Rows& x) {
    out_ += "rows ";
    out_ += text::kRowsOps[static_cast<std::size_t>(x.op)];
    if (x.op == RowsOp::Read) {
      out_ += ' ';
      out_ += text::kBadRows[static_cast<std::size_t>(x.onBad)];
    }
    if (x.op == RowsOp::Join) {
      out_ += ' ';
      out_ += text::kJoins[static_cast<std::size_t>(x.join)];
    }
    if (x.op == RowsOp::Join || x.op == RowsOp::Group) out_ += ' ' + std::to_string(x.keys);
    if (x.op == RowsOp::Sort) out_ += ' ' + std::to_string(x.descending);
  }

  void head(const Node& n) {
    const auto word = [&](std::string_view w) { out_ += w; };
    std::visit(Overloaded{[](std::monostate) {},
                          [&](const Const& c) {
                            word("const ");
                            constant(c.value);
                          },
                          [&](const Param&) { word("param"); },
                          [&](const Op& op) {
                            word(op.lifted ? "op lifted " : "op ");
                            out_ += info(op.op).enumerator;
                          },
                          [&](const Field& f) {
                            word("field");
                            if (f.ofEach) out_ += " each";
                            if (f.optional) out_ += " optional";
                            nodeName(f.name);
                          },
                          [&](const Step& s) {
                            word("step");
                            definitionName(module_.tasks, s.task.index());
                          },
                          [&](const Call& c) {
                            word("call");
                            definitionName(module_.funcs, c.callee.index());
                          },
                          [&](const For&) { word("for"); }, [&](const If&) { word("if"); },
                          [&](const Loop&) { word("loop"); }, [&](const Try&) { word("try"); },
                          [&](const Rows& x) { rows(x); }},
               n.payload);
    if (!std::holds_alternative<Const>(n.payload) || n.operandCount != 0) {
      out_ += '(';
      nodeList(module_.operands(n));
      out_ += ')';
    }
    if (n.orderCount != 0) {
      out_ += " after ";
      nodeList(module_.order(n));
    }
    out_ += ' ';
  }

  struct Frame {
    RegionId region;
    std::size_t next = 0;
    NodeId owner;
    bool hasElse = false;  ///< the owner's second region is still to come
  };

  void openRegion(std::vector<Frame>& stack, RegionId id, std::size_t depth, NodeId owner,
                  bool hasElse) {
    out_ += '{';
    const Region& region = module_.at(id);
    if (!region.params.empty()) {
      out_ += " (";
      bool first = true;
      for (const NodeId param : region.params) {
        if (!std::exchange(first, false)) {
          out_ += ",\n";
          indent(depth + 2);
        }
        numbers_[param.index()] = nextNumber_++;
        node(param);
        nodeName(module_.at(param).name);
        tail(param);
      }
      out_ += ')';
    }
    out_ += '\n';
    stack.push_back({id, 0, owner, hasElse});
  }

  /// A region and all it contains, without recursion: bodies nest as deep as they like.
  void printRegion(RegionId root, std::size_t depth) {
    if (root.index() >= module_.regions.size()) {
      out_ += "{\n}";
      return;
    }
    std::vector<Frame> stack;
    openRegion(stack, root, depth, {}, false);
    while (!stack.empty()) {
      Frame& frame = stack.back();
      const Region& region = module_.at(frame.region);
      const std::size_t level = depth + stack.size();
      if (frame.next < region.nodes.size()) {
        const NodeId id = region.nodes[frame.next++];
        const Node& n = module_.at(id);
        if (std::holds_alternative<std::monostate>(n.payload)) continue;
        numbers_[id.index()] = nextNumber_++;
        indent(level);
        node(id);
        nodeName(n.name);
        out_ += " = ";
        head(n);
        const std::vector<RegionId> owned = module_.regionsOf(n);
        if (owned.empty()) {
          tail(id);
          out_ += '\n';
        } else {
          openRegion(stack, owned.front(), level, id, owned.size() > 1);
        }
        continue;
      }
      if (!region.results.empty()) {
        indent(level);
        out_ += "yield ";
        nodeList(region.results);
        out_ += '\n';
      }
      indent(level - 1);
      out_ += '}';
      const Frame done = frame;
      stack.pop_back();
      if (!done.owner.valid()) continue;
      if (done.hasElse) {
        out_ += " else ";
        openRegion(stack, module_.regionsOf(module_.at(done.owner)).back(), level - 1, done.owner,
                   false);
      } else {
        out_ += ' ';
        tail(done.owner);
        out_ += '\n';
      }
    }
  }

  void regionLine(std::string_view word, RegionId id) {
    if (!id.valid()) return;
    keyword(1, word);
    out_ += ' ';
    printRegion(id, 1);
    out_ += '\n';
  }

  // ---- definitions
  void doc(std::string_view content) {
    if (content.empty()) return;
    out_ += " doc ";
    appendQuoted(out_, content);
  }

  void printParams(const std::vector<ParamDef>& params) {
    for (const ParamDef& param : params) {
      keyword(1, "param ");
      name(param.name);
      out_ += ": ";
      out_ += type(param.type);
      if (param.fallback.valid()) {
        out_ += " = ";
        constant(param.fallback);
      }
      doc(param.doc);
      out_ += '\n';
    }
  }

  void resultLine(TypeId id) {
    keyword(1, "result ");
    out_ += type(id);
    out_ += '\n';
  }

  void printOutput(const OutputDef& output) {
    keyword(1, "output ");
    name(output.name);
    out_ += ": ";
    out_ += type(output.type);
    out_ += ' ';
    out_ += text::kOutputs[static_cast<std::size_t>(output.from)];
    if (!output.path.empty()) {
      out_ += ' ';
      appendQuoted(out_, output.path);
    }
    doc(output.doc);
    out_ += '\n';
  }

  /// One quoted line a line of the script, so that it can be read.
  void printScript(const std::string& script) {
    for (std::size_t begin = 0; begin < script.size();) {
      const std::size_t newline = script.find('\n', begin);
      const std::size_t end = newline == std::string::npos ? script.size() : newline + 1;
      out_ += '\n';
      indent(2);
      appendQuoted(out_, std::string_view(script).substr(begin, end - begin));
      begin = end;
    }
  }

  void printRetry(const RetryPolicy& retry) {
    if (retry.limit == 0 && retry.backoff == Duration{} && retry.factor == 2 &&
        retry.maxBackoff == Duration{} && retry.on.empty() && retry.exitCodes.empty()) {
      return;
    }
    keyword(1, "retry ");
    number(retry.limit);
    out_ += " backoff ";
    number(retry.backoff.micros);
    out_ += " factor ";
    number(retry.factor);
    out_ += " max_backoff ";
    number(retry.maxBackoff.micros);
    if (!retry.on.empty()) {
      out_ += " on [";
      for (std::size_t i = 0; i < retry.on.size(); ++i) {
        if (i != 0) out_ += ", ";
        out_ += text::kFailures[static_cast<std::size_t>(retry.on[i])];
      }
      out_ += ']';
    }
    if (!retry.exitCodes.empty()) {
      out_ += " exit_codes [";
      for (std::size_t i = 0; i < retry.exitCodes.size(); ++i) {
        if (i != 0) out_ += ", ";
        number(retry.exitCodes[i]);
      }
      out_ += ']';
    }
    out_ += '\n';
  }

  void printTask(const TaskDef& task) {
    out_ += "\ntask ";
    name(task.name);
    out_ += " {\n";
    quotedLine(1, "doc", task.doc);
    printParams(task.params);
    for (const OutputDef& output : task.outputs) printOutput(output);
    resultLine(task.result);
    if (task.isVolatile) out_ += "  volatile\n";
    if (!task.cache) out_ += "  cache false\n";
    quotedLine(1, "image", task.image);
    if (task.cpu != 1) {
      keyword(1, "cpu ");
      number(task.cpu);
      out_ += '\n';
    }
    numberLine("memory", task.memory, 0);
    numberLine("gpu", task.gpu, 0);
    numberLine("disk", task.disk, 0);
    numberLine("timeout", task.timeout.micros, 0);
    printRetry(task.retry);
    regionLine("exprs", task.exprs);
    for (const TaskDef::Env& env : task.env) {
      keyword(1, "env ");
      name(env.name);
      out_ += ' ' + std::to_string(env.result) + '\n';
    }
    keyword(1, "run ");
    out_ += text::kRuns[static_cast<std::size_t>(task.run)];
    for (const TaskDef::Word& word : task.argv) {
      out_ += word.spread ? " spread " : " ";
      out_ += std::to_string(word.result);
    }
    printScript(task.script);
    out_ += "\n}\n";
  }

  void printFunc(const FuncDef& func) {
    out_ += func.kind == FuncKind::Fn ? "\nfn " : "\nworkflow ";
    name(func.name);
    out_ += " {\n";
    quotedLine(1, "doc", func.doc);
    printParams(func.params);
    resultLine(func.result);
    regionLine("body", func.body);
    regionLine("finally", func.finally);
    out_ += "}\n";
  }

  void printTarget(const TargetDef& target) {
    out_ += "\ntarget ";
    name(target.name);
    out_ += " = ";
    name(target.engine);
    out_ += " {\n";
    for (const auto& [key, setting] : target.settings) {
      indent(1);
      name(key);
      out_ += ": ";
      constant(setting);
      out_ += '\n';
    }
    out_ += "}\n";
  }

  const Module& module_;
  std::string out_;
  std::string nominals_;
  std::set<std::string> aliases_;
  std::vector<std::uint32_t> numbers_;
  std::uint32_t nextNumber_ = 0;
  std::vector<std::string> typeTexts_;
};

}  // namespace

std::string print(const Module& module) { return Printer(module).run(); }

std::string printTask(const Module& module, TaskId task) {
  return Printer(module).runTask(module.at(task));
}

}  // namespace couler::ir
