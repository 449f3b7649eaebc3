#include <algorithm>

#include "passes/passes.h"
#include "passes/rewrite.h"
#include "support/text.h"

namespace couler::passes {

bool inlineCalls(ir::Module& module, Context& context) {
  const bool calls = std::any_of(module.nodes.begin(), module.nodes.end(), [](const auto& node) {
    return std::holds_alternative<ir::Call>(node.payload);
  });
  if (!calls) return false;
  Rewriter rewriter(module, context,
                    {.inlineCalls = true, .keepSubWorkflows = context.keepSubWorkflows});
  std::vector<ir::FuncId> roots;
  if (module.entry.valid()) roots.push_back(module.entry);
  rewriter.run(roots);
  bool changed = false;
  const RewriteStats& stats = rewriter.stats();
  for (std::size_t i = 0; i < module.funcs.size(); ++i) {
    const ir::FuncDef& func = module.funcs[i];
    if (stats.inlined[i] != 0) {
      changed = true;
      context.diags.take(
          diagnose<Diag::Inlined>(func.span, countOf(stats.inlined[i], "call"), func.name));
    }
    if (stats.kept[i] != 0) {
      context.diags.take(
          diagnose<Diag::CallKept>(func.span, countOf(stats.kept[i], "call"), func.name));
    }
  }
  return changed;
}

}  // namespace couler::passes
