#include "backends/argo/text.h"

#include <limits>

#include <fmt/format.h>

namespace couler::backends::argo {
namespace {

void appendUnit(std::string& out, std::uint32_t unit) { out += fmt::format("\\u{:04x}", unit); }

// Pre: `text` is well-formed UTF-8 (ir/value.h); what is not is passed over byte by byte.
std::size_t decode(std::string_view text, std::uint32_t& value) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])) : 0U;
  };
  const std::uint32_t first = byte(0);
  if (first >= 0xf0) {
    value = ((first & 7U) << 18U) | ((byte(1) & 63U) << 12U) | ((byte(2) & 63U) << 6U) |
            (byte(3) & 63U);
    return 4;
  }
  if (first >= 0xe0) {
    value = ((first & 15U) << 12U) | ((byte(1) & 63U) << 6U) | (byte(2) & 63U);
    return 3;
  }
  if (first >= 0xc0) {
    value = ((first & 31U) << 6U) | (byte(1) & 63U);
    return 2;
  }
  value = first;
  return 1;
}

// Plain appends: a large workflow has one of these for each edge.
void appendDotted(std::string& out, const RefView& ref) {
  if (ref.task.empty()) {
    out += "inputs";
  } else {
    out.append("tasks.").append(ref.task).append(".outputs");
  }
  out.append(ref.artifact ? ".artifacts." : ".parameters.").append(ref.name);
}

// Double quotes, as in the strings beside it: then the whole stands in YAML as it is.
void appendIndexed(std::string& out, const RefView& ref) {
  if (ref.task.empty()) {
    out += "inputs.";
  } else {
    out.append("tasks[\"").append(ref.task).append("\"].outputs.");
  }
  out.append(ref.artifact ? "artifacts[\"" : "parameters[\"").append(ref.name).append("\"]");
}

void appendJsonExpr(std::string& out, const RefView& ref) {
  if (ref.encoding == Encoding::Json) return appendIndexed(out, ref);
  // Both literals spell two braces in pieces, so that Argo sees none.
  out += "sprig.replace(\"\\u007b\\u007b\", \"\\u007b\\\\u007b\", ";
  const bool lines = ref.encoding == Encoding::Base64Lines;
  if (ref.encoding == Encoding::Base64Text) {
    out += "toJson(sprig.b64dec(";
  } else {
    out += lines ? "\"[\" + sprig.replace(\"\\n\", \",\", sprig.trim(sprig.b64dec("
                 : "sprig.trim(sprig.b64dec(";
  }
  appendIndexed(out, ref);
  out += lines ? "))) + \"]\")" : ")))";
}

}  // namespace

std::string safeJson(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (std::size_t i = 0; i < json.size();) {
    const auto c = static_cast<unsigned char>(json[i]);
    if (c == '{' && !out.empty() && out.back() == '{') {
      // Two braces in a row stand only inside JSON strings, where the escape means the same.
      out += "\\u007b";
      ++i;
    } else if (c < 0x7f) {
      out += json[i];
      ++i;
    } else {
      std::uint32_t value = 0;
      i += decode(json.substr(i), value);
      if (value >= 0x10000) {
        appendUnit(out, 0xd800U + ((value - 0x10000U) >> 10U));
        appendUnit(out, 0xdc00U + ((value - 0x10000U) & 0x3ffU));
      } else {
        appendUnit(out, value);
      }
    }
  }
  return out;
}

std::string jsonText(const ir::Value& value) { return safeJson(ir::toJson(value)); }

std::string exprString(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    std::uint32_t c = 0;
    const std::size_t size = decode(text.substr(i), c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '{' || c == '}' || c == '?' || c == ':' || c < 0x20 ||
               (c >= 0x7f && c < 0x10000)) {
      appendUnit(out, c);
    } else if (c >= 0x10000) {
      out += fmt::format("\\U{:08x}", c);
    } else {
      out += static_cast<char>(c);
    }
    i += size;
  }
  out += '"';
  return out;
}

std::string goDuration(ir::Duration duration) {
  if (duration.micros % 1'000'000 == 0) return fmt::format("{}s", duration.micros / 1'000'000);
  if (duration.micros % 1000 == 0) return fmt::format("{}ms", duration.micros / 1000);
  return fmt::format("{}us", duration.micros);
}

void appendTag(std::string& out, const RefView& ref) {
  if (ref.encoding == Encoding::Json) {
    out += "{{";
    appendDotted(out, ref);
  } else {
    out += "{{=";
    appendJsonExpr(out, ref);  // never ends in a brace
  }
  out += "}}";
}

std::string Ref::dotted() const {
  std::string out;
  appendDotted(out, view());
  return out;
}

std::string Ref::indexed() const {
  std::string out;
  appendIndexed(out, view());
  return out;
}

std::string Ref::jsonExpr() const {
  std::string out;
  appendJsonExpr(out, view());
  return out;
}

Text Text::literal(std::string_view text) {
  Text out;
  out.add(text);
  return out;
}

Text Text::ref(const Ref& ref) {
  Text out;
  if (ref.encoding == Encoding::Json) {
    out.pieces_.push_back({Kind::Ref, {}, ref});
  } else {
    out.pieces_.push_back({Kind::Expr, ref.jsonExpr(), {}});
  }
  return out;
}

Text Text::expression(std::string expr) {
  Text out;
  out.pieces_.push_back({Kind::Expr, std::move(expr), {}});
  return out;
}

Text& Text::add(const Text& more) {
  for (const Piece& piece : more.pieces_) {
    if (piece.kind == Kind::Literal) {
      add(std::string_view(piece.text));
    } else {
      pieces_.push_back(piece);
    }
  }
  return *this;
}

Text& Text::add(std::string_view literalText) {
  if (!pieces_.empty() && pieces_.back().kind == Kind::Literal) {
    pieces_.back().text += literalText;
  } else {
    pieces_.push_back({Kind::Literal, std::string(literalText), {}});
  }
  return *this;
}

bool Text::isLiteral() const {
  return pieces_.empty() || (pieces_.size() == 1 && pieces_.front().kind == Kind::Literal);
}

std::string Text::literalText() const {
  return pieces_.empty() ? std::string() : pieces_.front().text;
}

std::string Text::asTag() const {
  std::string out;
  for (const Piece& piece : pieces_) {
    switch (piece.kind) {
      case Kind::Literal:
        out += piece.text;
        break;
      case Kind::Ref:
        appendTag(out, piece.ref.view());
        break;
      case Kind::Expr:
        out += exprTag(piece.text);
        break;
    }
  }
  return out;
}

std::string Text::asExpr() const {
  if (pieces_.empty()) return "\"\"";
  std::string out;
  for (const Piece& piece : pieces_) {
    if (!out.empty()) out += " + ";
    switch (piece.kind) {
      case Kind::Literal:
        out += exprString(piece.text);
        break;
      case Kind::Ref:
        out += piece.ref.indexed();
        break;
      case Kind::Expr:
        out += piece.text;
        break;
    }
  }
  return pieces_.size() == 1 ? out : "(" + out + ")";
}

const Ref* Text::single() const {
  return pieces_.size() == 1 && pieces_.front().kind == Kind::Ref ? &pieces_.front().ref : nullptr;
}

std::string exprTag(std::string_view expr) {
  // A closing brace before the tag's own would end it too early.
  return fmt::format("{{{{={}{}}}}}", expr, expr.ends_with('}') ? " " : "");
}

std::string inputTag(std::string_view name) {
  return fmt::format("{{{{inputs.parameters.{}}}}}", name);
}

}  // namespace couler::backends::argo
