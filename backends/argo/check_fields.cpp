#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "backends/argo/check.h"
#include "backends/argo/fields.h"
#include "backends/names.h"

namespace couler::backends::argo {
namespace {

constexpr std::size_t kMaxDepth = 32;

bool isNumber(std::string_view text) {
  if (text.empty()) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
  });
}
bool isBool(std::string_view text) { return text == "true" || text == "false"; }
bool readsAsText(YamlNode n) {
  return n.isScalar() && !(n.isBare() && (isNumber(n.text()) || isBool(n.text()) || n.isNull()));
}

class FieldChecker {
 public:
  explicit FieldChecker(DiagnosticSink& diags) : diags_(diags) {}

  bool run(YamlNode root) {
    object(root, fieldsOf("Root"), 0);
    metadata(root["metadata"]);
    return ok_;
  }

 private:
  void field(YamlNode at, std::string_view what) {
    diags_.take(diagnose<Diag::SpecField>({}, at.line(), what));
    ok_ = false;
  }

  void shape(YamlNode value, const Field& f, std::size_t depth) {
    const auto wrong = [&](std::string_view wanted) {
      field(value, fmt::format("`{}` must be {}", f.name, wanted));
    };
    switch (f.shape) {
      case Shape::Any:
        return;
      case Shape::Text:
        if (!readsAsText(value)) wrong("a string");
        return;
      case Shape::Number:
        if (!value.isBare() || !isNumber(value.text())) wrong("a number");
        return;
      case Shape::NumberOrText:
        if (!value.isScalar() || value.isNull()) wrong("a number or a string");
        return;
      case Shape::Bool:
        if (!value.isBare() || !isBool(value.text())) wrong("`true` or `false`");
        return;
      case Shape::Map:
        if (!value.isMap()) return wrong("a map");
        if (!f.of.empty()) object(value, fieldsUnder(f), depth + 1);
        return;
      case Shape::List:
        if (!value.isList()) return wrong("a list");
        for (YamlNode item = value.first(); item.exists(); item = item.next()) {
          if (!item.isMap()) {
            field(item, fmt::format("an item of `{}` must be a map", f.name));
          } else if (!f.of.empty()) {
            object(item, fieldsUnder(f), depth + 1);
          }
        }
        return;
      case Shape::TextList:
        if (!value.isList()) return wrong("a list of strings");
        for (YamlNode item = value.first(); item.exists(); item = item.next()) {
          if (!readsAsText(item))
            field(item, fmt::format("an item of `{}` must be a string", f.name));
        }
        return;
      case Shape::TextMap:
        if (!value.isMap()) return wrong("a map of strings");
        for (YamlNode item = value.first(); item.exists(); item = item.next()) {
          if (!readsAsText(item)) field(item, fmt::format("`{}` must be a string", item.key()));
        }
        return;
    }
  }

  void object(YamlNode map, std::span<const Field> fields, std::size_t depth) {
    if (depth > kMaxDepth) return;
    for (YamlNode value = map.first(); value.exists(); value = value.next()) {
      const std::string_view key = value.key();
      const auto f = std::find_if(fields.begin(), fields.end(),
                                  [&](const Field& row) { return sameText(row.name, key); });
      if (f == fields.end()) {
        field(value, fmt::format("argo knows no field `{}` here", key));
      } else {
        shape(value, *f, depth);
      }
    }
  }

  void metadata(YamlNode at) {
    const YamlNode name = at["name"], generate = at["generateName"];
    if (!name.exists() && !generate.exists())
      field(at, "`metadata` has neither `name` nor `generateName`");
    if (name.exists() && name.text().size() > 253)
      field(name, "`name` is longer than 253 characters");
    if (generate.exists() && !isDnsLabel(std::string(generate.text().substr(0, 57)) + "x")) {
      field(generate, fmt::format("`{}` does not begin a name of Kubernetes", generate.text()));
    }
  }

  DiagnosticSink& diags_;
  bool ok_ = true;
};

}  // namespace

bool checkFields(YamlNode root, DiagnosticSink& diags) { return FieldChecker(diags).run(root); }

}  // namespace couler::backends::argo
