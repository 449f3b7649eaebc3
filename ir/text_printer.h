#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/module.h"

/// Writes the text form (docs/ir.md). Private to ir/: `print` of ir/print.h is its face.
namespace couler::ir::text {

/// One construct a function, as in the parser. For one module.
class Printer {
 public:
  explicit Printer(const Module& module)
      : module_(module),
        numbers_(module.nodes.size(), kNoNumber),
        typeTexts_(module.types.size()) {}
  std::string run();
  /// One task alone, without comments and paths.
  std::string runTask(const TaskDef& task);
  /// Those printed, by number.
  [[nodiscard]] std::vector<NodeId> takeNodes() { return std::move(numbered_); }

 private:
  struct Frame {
    RegionId region;
    std::size_t next = 0;
    NodeId owner;
    bool hasElse = false;  ///< the owner's second region is still to come
  };
  static constexpr std::uint32_t kNoNumber = 0xffffffffU;

  // text_printer.cpp: words and definitions
  std::string finish();
  void name(std::string_view text);
  void number(std::int64_t value);
  void number(double value);
  void indent(std::size_t depth);
  void keyword(std::size_t depth, std::string_view word);
  void quotedLine(std::size_t depth, std::string_view word, std::string_view content);
  void numberLine(std::string_view word, std::int64_t value, std::int64_t usual);
  void doc(std::string_view content);
  void printParams(const std::vector<ParamDef>& params);
  void resultLine(TypeId id);
  void printOutput(const OutputDef& output);
  void printScript(const std::string& script);
  void printRetry(const RetryPolicy& retry);
  void printTask(const TaskDef& task);
  void printSettings(const TaskDef& task);
  void printFunc(const FuncDef& func);
  void printTarget(const TargetDef& target);

  // text_printer_values.cpp: types and values
  const std::string& type(TypeId id);
  std::string makeType(TypeId id);
  std::string fields(const Type& t, std::string_view open, std::string_view close);
  static std::string quotedUnlessWord(std::string_view name);
  std::string declare(const Type& t);
  void value(const Value& v);
  void named(const NamedItems* items, char open, char close);
  void constant(ConstId id);
  static std::string cases(const Type& t);

  // text_printer_nodes.cpp: nodes and regions
  void node(NodeId id);
  void number(NodeId id);
  void nodeList(std::span<const NodeId> ids);
  void nodeName(NameId id);
  void tail(NodeId id);
  void rows(const Rows& x);
  void head(const Node& n);
  void openRegion(std::vector<Frame>& stack, RegionId id, std::size_t depth, NodeId owner,
                  bool hasElse);
  void printRegion(RegionId root, std::size_t depth);
  void regionLine(std::string_view word, RegionId id);
  template <class Defs>
  void definitionName(const Defs& defs, std::size_t index);

  const Module& module_;
  std::string out_;
  std::string nominals_;
  std::set<std::string> aliases_;
  std::vector<std::uint32_t> numbers_;
  std::vector<NodeId> numbered_;
  bool bare_ = false;  ///< without comments and paths
  std::vector<std::string> typeTexts_;
};

}  // namespace couler::ir::text
