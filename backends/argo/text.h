#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ir/value.h"

/// How values and references to them stand in an Argo manifest. Every parameter is canonical JSON
/// text that holds nothing Argo would read as a tag; docs/backends/argo.md, "Values".
namespace couler::backends::argo {

/// Any JSON text as JSON text of the same value that is ASCII and has no `{{` in it.
[[nodiscard]] std::string safeJson(std::string_view json);
/// A value as such text. Files as their path.
[[nodiscard]] std::string jsonText(const ir::Value& value);
/// `text` as a string literal of Argo's expression language, without any character that Argo's own
/// scan of a tag looks for (`{`, `}`, `?`, `:`).
[[nodiscard]] std::string exprString(std::string_view text);
/// As Go reads durations: `5s`, `1500ms`, `10us`.
[[nodiscard]] std::string goDuration(ir::Duration duration);

// Inputs that no name of the language stands for, since none has a `-`: where the files of a task
// go, those of a body's tasks, and the number of an item.
inline constexpr std::string_view kFilesKey = "files-key";
inline constexpr std::string_view kFolder = "files-folder";
inline constexpr std::string_view kIndex = "item-index";

/// How the text of a parameter gives its value.
enum class Encoding : std::uint8_t {
  Json,
  Base64Text,  ///< base64 of a string's own bytes
  Base64Json,  ///< base64 of JSON text
  Base64Lines  ///< base64 of the items of a list, JSON text a line
};

/// A parameter or artifact within a template: an input of it, or an output of one of its tasks.
struct RefView {
  std::string_view task;  ///< empty: an input
  std::string_view name;
  bool artifact = false;
  Encoding encoding = Encoding::Json;
};
/// As the `value:` of a parameter: a tag that stands for the JSON text.
void appendTag(std::string& out, const RefView& ref);

/// The same, of names that it holds itself.
struct Ref {
  std::string task;
  std::string name;
  bool artifact = false;
  Encoding encoding = Encoding::Json;

  [[nodiscard]] RefView view() const { return {task, name, artifact, encoding}; }
  [[nodiscard]] std::string dotted() const;   ///< `tasks.a.outputs.parameters.x`
  [[nodiscard]] std::string indexed() const;  ///< `tasks["a"].outputs.parameters["x"]`
  /// An expression for the JSON text that the parameter stands for.
  [[nodiscard]] std::string jsonExpr() const;
};

/// JSON text that is put together while the workflow runs.
class Text {
 public:
  Text() = default;
  [[nodiscard]] static Text literal(std::string_view text);
  [[nodiscard]] static Text ref(const Ref& ref);
  /// `expr`: an expression that gives a string.
  [[nodiscard]] static Text expression(std::string expr);
  Text& add(const Text& more);
  Text& add(std::string_view literalText);

  [[nodiscard]] bool isLiteral() const;
  [[nodiscard]] std::string literalText() const;  ///< pre: isLiteral
  /// As the `value:` of a parameter.
  [[nodiscard]] std::string asTag() const;
  /// As an expression that gives the string.
  [[nodiscard]] std::string asExpr() const;
  /// The one plain parameter that it is, or null.
  [[nodiscard]] const Ref* single() const;

 private:
  enum class Kind : std::uint8_t { Literal, Ref, Expr };
  struct Piece {
    Kind kind;
    std::string text;
    Ref ref;
  };
  std::vector<Piece> pieces_;
};

/// An expression tag: `{{=…}}`.
[[nodiscard]] std::string exprTag(std::string_view expr);
/// The tag of an input parameter: `{{inputs.parameters.NAME}}`.
[[nodiscard]] std::string inputTag(std::string_view name);

}  // namespace couler::backends::argo
