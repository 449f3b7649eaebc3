#include "frontend/sema/program.h"

namespace couler::sema {

std::string_view wordOf(SymbolKind kind) {
  using enum SymbolKind;
  switch (kind) {
    case Namespace:
      return "namespace";
    case Enum:
      return "enum";
    case EnumCase:
      return "case";
    case Schema:
      return "schema";
    case Fn:
      return "fn";
    case Task:
      return "task";
    case Workflow:
      return "workflow";
    case Transform:
      return "transform";
    case Labeler:
      return "labeler";
    case Target:
      return "target";
    case Param:
      return "param";
    case Output:
      return "output";
    case Local:
      return "let";
    case LoopVariable:
      return "for";
    case Column:
      return "column";
    case BuiltinFn:
      return "builtin";
  }
  return "";
}

std::string_view wordOf(ir::Phase phase) {
  switch (phase) {
    case ir::Phase::Compile:
      return "compile";
    case ir::Phase::Submit:
      return "submit";
    case ir::Phase::Run:
      break;
  }
  return "run";
}

}  // namespace couler::sema
