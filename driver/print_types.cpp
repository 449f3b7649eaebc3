#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "driver/print_stages.h"

namespace couler::driver {
namespace {

std::string signatureText(const sema::Program& program, const sema::Signature& signature) {
  std::string text = "(";
  for (const sema::FieldInfo& param : signature.params) {
    if (text.size() > 1) text += ", ";
    text += fmt::format("{}: {}", param.name, program.types.print(param.type));
  }
  text += ")";
  if (signature.result.valid()) text += " -> " + program.types.print(signature.result);
  for (std::size_t i = 0; i < signature.columns.size(); ++i) {
    text += fmt::format("{}{}: {}", i == 0 ? " { " : ", ", signature.columns[i].name,
                        program.types.print(signature.columns[i].type));
  }
  if (!signature.columns.empty()) text += " }";
  return text;
}

}  // namespace

std::string typesText(const SourceManager& sources, const sema::Program& program) {
  std::vector<const sema::Symbol*> symbols;
  for (const sema::Symbol& symbol : program.symbols) {
    if (symbol.declared.valid() && !sources.path(symbol.declared.file).starts_with("std.")) {
      symbols.push_back(&symbol);
    }
  }
  std::stable_sort(symbols.begin(), symbols.end(),
                   [](const auto* a, const auto* b) { return a->declared < b->declared; });
  std::string text;
  for (const sema::Symbol* symbol : symbols) {
    const LineColumn at = sources.lineColumn(symbol->declared.file, symbol->declared.begin);
    text += fmt::format("{}:{}:{}: {} {}", sources.path(symbol->declared.file), at.line, at.column,
                        sema::wordOf(symbol->kind), symbol->name);
    if (symbol->signature != nullptr) {
      text += signatureText(program, *symbol->signature);
    } else if (symbol->type.valid() && program.types.kind(symbol->type) != ir::TypeKind::Error) {
      text += fmt::format(": {} [{}]", program.types.print(symbol->type), sema::wordOf(symbol->phase));
    }
    text += '\n';
  }
  return text;
}

}  // namespace couler::driver
