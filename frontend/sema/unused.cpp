// Warnings on what is never used.

#include <algorithm>

#include "frontend/sema/checker.h"

namespace couler::sema {

using namespace syntax;

void Checker::reportUnused() {
  // After an error a name may seem unused because of it, so then nothing is said.
  if (sawErrors_) return;
  for (std::size_t i = 0; i < loaded_.size(); ++i) {
    if (loaded_[i].tree == nullptr || isStd_[i]) continue;
    std::vector<std::pair<std::string_view, TopName>> names(top_[i].begin(), top_[i].end());
    std::sort(names.begin(), names.end(), [](const auto& a, const auto& b) {
      return a.second.declared.begin < b.second.declared.begin;
    });
    for (const auto& [name, entry] : names) {
      const Symbol& symbol = program_->at(entry.symbol);
      if (entry.imported) {
        if (entry.uses == 0) report(diagnose<Diag::UnusedImport>(entry.declared, name));
      } else if (name[0] == '_' && symbol.uses == 0) {
        report(diagnose<Diag::UnusedPrivate>(entry.declared, kindWord(symbol.kind), name));
      }
    }
  }
  for (const Symbol& symbol : program_->symbols) {
    if (symbol.kind != SymbolKind::Local || symbol.uses != 0 || symbol.name.empty() ||
        symbol.name[0] == '_' || isStd_[symbol.file.index()]) {
      continue;
    }
    report(diagnose<Diag::UnusedLocal>(symbol.declared, symbol.name)
               .fix(fmt::format("write `_{}` if that is meant", symbol.name), symbol.declared,
                    fmt::format("_{}", symbol.name)));
  }
}

}  // namespace couler::sema
