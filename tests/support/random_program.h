#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace couler::testing {

/// Makes programs that keep the grammar and nothing else: names need not exist, types need not fit.
/// White space, newlines and comments are strewn wherever the language lets them stand, redundant
/// parentheses too. Equal seeds give equal programs on every machine.
class RandomProgram {
 public:
  explicit RandomProgram(std::uint64_t seed) : state_(seed * 2 + 1) {}

  std::string make() {
    out_.clear();
    if (chance(4)) out_ += "// a comment first\n";
    out_ += chance(5) ? "couler  1  // edition\n" : "couler 1\n";
    const std::size_t count = 1 + below(6);
    for (std::size_t i = 0; i < count; ++i) {
      if (chance(2)) out_ += '\n';
      if (chance(5)) out_ += "\n\n// between declarations\n";
      declaration();
    }
    if (chance(5)) out_ += "// the end";
    return out_;
  }

 private:
  // ---- chance

  std::uint64_t next() {  // splitmix64 (Steele, Lea, Flood 2014)
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31U);
  }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(next() % n); }
  bool chance(std::size_t oneIn) { return below(oneIn) == 0; }
  std::string_view any(std::initializer_list<std::string_view> of) {
    return of.begin()[below(of.size())];
  }

  // ---- pieces

  std::string_view name() {
    return any({"a",        "b2",
                "image",    "timeout",
                "env",      "cache",
                "run",      "sh",
                "python",   "max",
                "where",    "limit",
                "task_one", "schema",
                "test",     "target",
                "x",        "min",
                "s",        "h",
                "status",   "a_rather_long_name_for_a_value",
                "_private", "using",
                "on",       "by",
                "as",       "transform"});
  }
  std::string_view plainName() {
    return any({"alpha", "beta", "gamma", "delta", "a_name_of_some_length"});
  }
  /// White space that ends nothing, because a bracket or an operator is open.
  void space() {
    switch (below(12)) {
      case 0:
        out_ += "\n";
        return;
      case 1:
        out_ += "\n\n      ";
        return;
      case 2:
        out_ += "  ";
        return;
      case 3:
        out_ += " // why\n";
        return;
      default:
        out_ += " ";
        return;
    }
  }
  /// After which a new statement or item begins.
  void end() {
    switch (below(8)) {
      case 0:
        out_ += "  // beside\n";
        return;
      case 1:
        out_ += "\n\n\n";
        return;
      case 2:
        out_ += "\n    // above\n";
        return;
      case 3:
        out_ += ";";
        return;
      case 4:
        out_ += " ;\n";
        return;
      default:
        out_ += "\n";
        return;
    }
  }
  template <class F>
  void commaList(std::size_t count, F&& item) {
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) out_ += ',';
      if (i > 0 || chance(4)) space();
      item();
    }
    if (count > 0 && chance(3)) out_ += ',';
    if (chance(5)) space();
  }
  template <class F>
  void lineList(std::size_t count, F&& item) {
    out_ += chance(2) ? "{\n" : "{ ";
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) end();
      item();
    }
    if (chance(6)) out_ += " // last";
    out_ += chance(3) ? "\n\n}" : "\n}";
  }
  void doc() {
    if (!chance(5)) return;
    out_ += "\n/// said of it\n";
    if (chance(3)) out_ += "///\n///  - more\n";
  }

  // ---- declarations

  void declaration() {
    doc();
    switch (below(10)) {
      case 0:
        out_ += any({"import std.text", "import \"./x.cwl\" { a, b as c }",
                     "import \"./y.cwl\" as y", "import \"./z.cwl\" {\n a, // one\n b\n}"});
        break;
      case 1:
        out_ += "enum E { ";
        commaList(below(4), [&] { out_ += plainName(); });
        out_ += " }";
        break;
      case 2:
        out_ += "schema S ";
        lineList(below(4), [&] { field(true); });
        break;
      case 3:
        out_ += "fn f";
        params();
        if (chance(2)) {
          out_ += " -> ";
          type(2);
        }
        out_ += " =";
        space();
        expr(4);
        break;
      case 4:
        task();
        break;
      case 5:
        transform();
        break;
      case 6:
        out_ += "labeler l(c: S) -> Class ";
        lineList(below(3), [&] {
          out_ += "vote spam when ";
          expr(2);
          if (chance(2)) out_ += " as rule_name";
        });
        break;
      case 7:
        out_ += "target t = local ";
        if (chance(2)) settings();
        break;
      case 8:
        out_ += "test \"a title with { in \\\" it\" ";
        replaceTitle();
        lineList(below(4), [&] {
          if (chance(2)) {
            let();
          } else {
            out_ += "expect ";
            expr(3);
          }
        });
        break;
      default:
        out_ += "workflow w";
        params();
        if (chance(2)) outputs();
        out_ += chance(4) ? "\n" : " ";
        block(5);
        break;
    }
    out_ += chance(5) ? "  // after it\n" : "\n";
  }
  /// A title is no place for an interpolation.
  void replaceTitle() {
    const std::size_t at = out_.rfind('{');
    out_.replace(at, 1, "\\{");
  }

  void params() {
    out_ += '(';
    commaList(below(4), [&] { field(false); });
    out_ += ')';
  }
  void outputs() {
    out_ += chance(4) ? "\n    -> (" : " -> (";
    commaList(below(3), [&] { field(false); });
    out_ += ')';
  }
  void field(bool column) {
    doc();
    out_ += plainName();
    out_ += any({": ", ":", ":  "});
    type(2);
    if (chance(3)) {
      out_ += " = ";
      expr(1);
    }
    if (column && chance(3)) {
      out_ += " where ";
      expr(2);
    }
  }
  void type(int depth) {
    switch (depth > 0 ? below(6) : below(2)) {
      case 0:
        out_ += "int";
        break;
      case 1:
        out_ += "text.Span";
        break;
      case 2:
        out_ += any({"list<", "file<", "map<string, "});
        type(depth - 1);
        out_ += ">";
        break;
      case 3:
        out_ += "(";
        commaList(below(3), [&] {
          out_ += plainName();
          out_ += ": ";
          type(depth - 1);
        });
        out_ += ")";
        break;
      default:
        out_ += "string";
        break;
    }
    if (chance(4)) out_ += '?';
  }
  void settings() {
    out_ += '{';
    commaList(below(4), [&] {
      out_ += plainName();
      out_ += ": ";
      expr(1);
    });
    out_ += '}';
  }
  void task() {
    out_ += chance(4) ? "volatile task t" : "task t";
    params();
    if (chance(2)) outputs();
    out_ += ' ';
    const std::size_t from = below(4);
    std::size_t which = from;
    lineList(3, [&] {
      switch (which++) {
        case 0:
          out_ += "image \"python:3\"";
          return;
        case 1:
          out_ += "resources ";
          settings();
          return;
        case 2:
          out_ += "timeout   30 min";
          return;
        case 3:
          out_ += "retry 2 ";
          if (chance(2)) settings();
          return;
        case 4:
          out_ += "env ";
          settings();
          return;
        default:
          run();
          return;
      }
    });
  }
  void run() {
    switch (below(4)) {
      case 0:
        out_ += "run [\"cat\", ...parts";
        if (chance(2)) out_ += ", // words\n \"-n\"";
        out_ += "]";
        return;
      case 1:
        out_ += "run sh \"\"\"echo one\"\"\"";
        return;
      case 2:
        out_ += "run sh \"\"\"\n      if a; then\n\n          b\n      fi\n  \"\"\"";
        return;
      default:
        out_ += "run python \"\"\"x = 1\n   y = 2\"\"\"";
        return;
    }
  }
  void transform() {
    out_ += "transform tidy(c: S) ";
    lineList(below(5), [&] {
      switch (below(7)) {
        case 0:
          out_ += "where ";
          expr(2);
          return;
        case 1:
          out_ += any({"...c", "...c without a, b"});
          return;
        case 2:
          out_ += "group by ";
          expr(1);
          return;
        case 3:
          out_ += any({"limit 10", "distinct"});
          return;
        case 4:
          out_ += "join other on c.id == other.id";
          return;
        case 5:
          out_ += "limit = c.limit";
          return;
        default:
          out_ += plainName();
          out_ += " = ";
          expr(3);
          return;
      }
    });
  }

  // ---- statements

  void block(int depth) {
    lineList(below(4), [&] { statement(depth); });
  }
  void let() {
    out_ += "let ";
    out_ += plainName();
    if (chance(5)) {
      out_ += ": ";
      type(1);
    }
    out_ += " =";
    space();
    expr(4);
  }
  void statement(int depth) {
    switch (below(7)) {
      case 0:
      case 1:
      case 2:
        let();
        return;
      case 3:
        out_ += "return";
        if (chance(4)) return;
        out_ += ' ';
        expr(2);
        return;
      case 4:
        out_ += "finally ";
        block(depth > 0 ? depth - 2 : 0);
        return;
      case 5:
        out_ += "step(x) after ";
        out_ += any({"a", "a, b.c", "a, b[0], c", "a,\n  b"});
        return;
      default:
        expr(depth > 3 ? 3 : depth);
        return;
    }
  }

  // ---- expressions

  void expr(int depth) {
    if (depth <= 0) {
      leaf();
      return;
    }
    switch (below(13)) {
      case 0:
      case 1:
      case 2:
        operand(depth);
        out_ += ' ';
        out_ += any(
            {"+", "-", "*", "/", "div", "%", "**", "==", "<", "and", "or", "??", "..", "|>", "in"});
        space();
        operand(depth);
        return;
      case 3:
        out_ += any({"-", "not ", "try "});
        operand(depth);
        return;
      case 4:
        call(depth);
        if (chance(4)) {
          out_ += '.';
          out_ += any({"score", "in", "model", "image"});
        }
        return;
      case 5:
        out_ += '[';
        commaList(below(4), [&] {
          if (chance(6)) out_ += "...";
          expr(depth - 1);
        });
        out_ += ']';
        return;
      case 6:
        out_ += '(';
        commaList(1 + below(3), [&] {
          out_ += plainName();
          out_ += ": ";
          expr(depth - 1);
        });
        out_ += ')';
        return;
      case 7:
        out_ += '[';
        if (chance(4)) {
          out_ += ":]";
          return;
        }
        commaList(1 + below(2), [&] {
          out_ += "\"k\": ";
          expr(depth - 1);
        });
        out_ += ']';
        return;
      case 8:
        out_ += "if ";
        operand(depth);
        out_ += ' ';
        shortBlock(depth - 1);
        if (chance(3)) {
          out_ += " else if ";
          operand(depth - 1);
          out_ += ' ';
          shortBlock(depth - 1);
        }
        if (!chance(3)) {
          out_ += chance(4) ? "\nelse " : " else ";
          shortBlock(depth - 1);
        }
        return;
      case 9:
        out_ += "for x in ";
        operand(depth);
        out_ += ' ';
        shortBlock(depth - 1);
        return;
      case 10:
        out_ += "loop state = ";
        operand(depth - 1);
        out_ += " max 10 ";
        block(depth - 2);
        out_ += " until ";
        operand(depth - 1);
        return;
      case 11:
        out_ += "(tune train(data: rows, depth: in 2..8)";
        space();
        out_ += any({"maximize score", "minimize loss using grid",
                     "maximize score\n using asha(trials: 4)",
                     "maximize score using tpe(trials: 4) prior from card(data: \"d\")",
                     "maximize score using tpe\nprior from card(data: \"d\", // y\n model: \"m\")"});
        out_ += ')';
        return;
      default:
        leaf();
        return;
    }
  }
  void shortBlock(int depth) {
    if (chance(3)) {
      block(depth);
      return;
    }
    out_ += "{ ";
    expr(depth - 1);
    out_ += " }";
  }
  /// In parentheses whenever it could be read otherwise without.
  void operand(int depth) {
    if (chance(3)) {
      leaf();
      return;
    }
    out_ += '(';
    if (chance(6)) space();
    expr(depth - 1);
    out_ += ')';
  }
  void call(int depth) {
    out_ += plainName();
    if (chance(8)) out_ += "<Comment>";
    out_ += '(';
    commaList(below(4), [&] {
      if (chance(2)) {
        out_ += name();
        out_ += ": ";
      }
      expr(depth - 1);
    });
    out_ += ')';
  }
  void leaf() {
    switch (below(14)) {
      case 0:
        out_ += "1_000";
        return;
      case 1:
        out_ += "2.5e-3";
        return;
      case 2:
        out_ += any({"30 min", "1.5h", "4   GiB", "500ms"});
        return;
      case 3:
        out_ += any({"true", "false", "none"});
        return;
      case 4:
        out_ += "\"plain \\n \\u{1F600} é\"";
        return;
      case 5:
        out_ += "\"x {alpha + 1} and {f(\"in {beta}\")}\"";
        return;
      case 6:
        out_ += "r\"https?://\\S+\"";
        return;
      case 7:
        out_ += "alpha.beta?.gamma";
        return;
      case 8:
        out_ += "alpha[0][beta]";
        return;
      case 9:
        out_ += "\"\"\"raw \\ { text\"\"\"";
        return;
      default:
        out_ += plainName();
        return;
    }
  }

  std::uint64_t state_;
  std::string out_;
};

}  // namespace couler::testing
