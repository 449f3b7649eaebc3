#include <algorithm>

#include "passes/passes.h"
#include "passes/rewrite.h"
#include "support/text.h"

namespace couler::passes {

bool unroll(ir::Module& module, Context& context) {
  const bool loops = std::any_of(module.nodes.begin(), module.nodes.end(), [](const auto& node) {
    return std::holds_alternative<ir::For>(node.payload);
  });
  if (!loops || !module.entry.valid()) return false;
  Rewriter rewriter(module, context, {.unroll = true});
  rewriter.run({&module.entry, 1});
  bool changed = false;
  for (const RewriteStats::Loop& loop : rewriter.stats().loops) {
    if (loop.tooLarge) {
      context.diags.take(diagnose<Diag::UnrollTooLarge>(loop.span, countOf(loop.iterations, "item"),
                                                        kMaxNewNodes));
    } else {
      changed = true;
      context.diags.take(diagnose<Diag::Unrolled>(loop.span, countOf(loop.iterations, "item")));
    }
  }
  const RewriteStats& stats = rewriter.stats();
  return changed || stats.evaluated + stats.decided + stats.forwarded != 0;
}

}  // namespace couler::passes
