#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace couler::backends::argo {

/// A variable that a tag or an expression reads: `tasks.a.outputs.parameters.x` and
/// `tasks['a'].outputs.parameters['x']` alike.
struct TagRef {
  std::string_view text;
  std::span<const std::string_view> parts;
};

/// Finds variables. What it hands out is good until the next scan. One scan after another allocates
/// nothing, and where a text is the last one but for the name of a task, as in large graphs,
/// nothing is scanned again. Pre: texts outlive the scanner.
class TagScanner {
 public:
  /// The variables of all `{{…}}` and `{{=…}}` in `text`.
  void scanTags(std::string_view text);
  /// The variables of a bare expression. Functions, closures (`#`) and what is in quotes are none.
  void scanExpression(std::string_view text);

  [[nodiscard]] std::size_t size() const { return refs_.size(); }
  [[nodiscard]] TagRef operator[](std::size_t i) const {
    return {refs_[i].text, {parts_.data() + refs_[i].first, refs_[i].count}};
  }
  [[nodiscard]] const std::string& error() const { return error_; }  ///< the last one; empty: none

 private:
  struct Ref {
    std::string_view text;
    std::uint32_t first, count;  // into parts_
  };
  void clear();
  /// Whether `text` is that of the last scan but for the name of the one task in it, which is then
  /// set.
  bool isLastButForTask(std::string_view text);
  void noteTask(std::string_view text);
  void addExpression(std::string_view expression);
  /// A name and its `.field` and `['field']`; gives where it ends.
  std::size_t addVariable(std::string_view expression, std::size_t begin);
  void addDotted(std::string_view name);

  std::string_view last_;  ///< text in which one task's name may be another; empty: none
  std::size_t taskBegin_ = 0, taskEnd_ = 0;
  std::vector<Ref> refs_;
  std::vector<std::string_view> parts_;
  std::vector<char> brackets_;
  std::string error_;
};

}  // namespace couler::backends::argo
