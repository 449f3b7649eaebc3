#include "passes/passes.h"
#include "passes/rewrite.h"
#include "support/text.h"

namespace couler::passes {

bool fold(ir::Module& module, Context& context) {
  Rewriter rewriter(module, context, {});
  std::vector<ir::FuncId> all;
  for (std::size_t i = 0; i < module.funcs.size(); ++i) all.emplace_back(i);
  rewriter.run(all);
  const RewriteStats& stats = rewriter.stats();
  if (stats.evaluated + stats.decided + stats.forwarded == 0) return false;
  Span at;
  if (module.entry.valid()) at = module.at(module.entry).span;
  context.diags.take(diagnose<Diag::Folded>(at, countOf(stats.evaluated, "value"),
                                            countOf(stats.decided, "condition"),
                                            countOf(stats.forwarded, "item")));
  return true;
}

}  // namespace couler::passes
