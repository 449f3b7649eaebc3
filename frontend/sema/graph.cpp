// What follows from who calls whom: phases, secrets, recursion.
#include <algorithm>

#include "frontend/sema/checker.h"
#include "frontend/sema/walk.h"

namespace couler::sema {

using namespace syntax;

namespace {

std::string_view phaseWord(Phase phase) {
  switch (phase) {
    case Phase::Compile:
      return "at compile time";
    case Phase::Submit:
      return "when the run is submitted";
    case Phase::Run:
      return "at run time";
  }
  return "";
}

/// A path is shown this far; longer ones help nobody.
constexpr int kMaxHops = 12;

}  // namespace

void Checker::needPhase(const Expr* expr, Phase limit, std::string_view what) {
  if (expr == nullptr || isError(info(*expr).type)) return;
  const Phase phase = phaseOf(expr);
  if (phase <= limit) {
    if (limit == Phase::Submit) markNeeded(expr, expr->span, what);
    return;
  }
  Diagnostic diagnostic =
      diagnose<Diag::KnownTooLate>(expr->span, what, phaseWord(limit), phaseWord(phase));
  explainPhase(expr, limit, diagnostic);
  report(std::move(diagnostic));
}

void Checker::explainPhase(const Expr* expr, Phase limit, Diagnostic& diagnostic) const {
  for (int hop = 0; expr != nullptr && hop < kMaxHops;) {
    const SymbolId id = info(*expr).symbol;
    if (expr->kind == ExprKind::Name && id.valid()) {
      const Symbol& symbol = program_->at(id);
      const Expr* origin = extras_[id.index()].origin;
      if (symbol.declared.valid() && symbol.declared != expr->span) {
        diagnostic.label(symbol.declared,
                         origin == nullptr
                             ? fmt::format("`{}` is a {}: known {}", symbol.name,
                                           kindWord(symbol.kind), phaseWord(symbol.phase))
                             : fmt::format("`{}` is made here", symbol.name));
      }
      expr = origin;
      ++hop;
      continue;
    }
    if (expr->kind == ExprKind::Call) {
      const auto it = file_->calls.find(expr->id);
      if (it != file_->calls.end() && it->second.callee.valid()) {
        const Symbol& callee = program_->at(it->second.callee);
        if (callee.kind == SymbolKind::Task || callee.kind == SymbolKind::Workflow ||
            callee.kind == SymbolKind::Transform) {
          diagnostic.label(expr->span, "this step must run first");
          return;
        }
      }
    }
    const Expr* next = nullptr;
    forEachChild(expr, [&](const Expr* child) {
      if (next == nullptr && info(*child).phase > limit) next = child;
    });
    expr = next;
  }
}

void Checker::markNeeded(const Expr* expr, Span at, std::string_view what) {
  std::vector<const Expr*> open{expr};
  std::unordered_set<SymbolId> seen;
  while (!open.empty()) {
    const Expr* one = open.back();
    open.pop_back();
    if (one->kind == ExprKind::Name) {
      const SymbolId id = info(*one).symbol;
      if (!id.valid() || !seen.insert(id).second) continue;
      SymbolExtra& known = extra(id);
      if (program_->at(id).kind == SymbolKind::Param) {
        if (known.neededAt.valid()) continue;
        known.neededAt = at;
        known.neededFor = what;
        needed_.push_back(id);
      } else if (known.origin != nullptr) {
        open.push_back(known.origin);
      }
      continue;
    }
    forEachChild(one, [&](const Expr* child) { open.push_back(child); });
  }
}

void Checker::propagateNeeds() {
  if (needed_.empty()) return;
  std::unordered_map<SymbolId, std::vector<std::size_t>> sites;
  for (std::size_t i = 0; i < callSites_.size(); ++i) sites[callSites_[i].callee].push_back(i);
  for (std::size_t next = 0; next < needed_.size(); ++next) {
    const SymbolId id = needed_[next];
    const Symbol& param = program_->at(id);
    const auto& declared = program_->files[param.file.index()].declared;
    const auto owner = declared.find(param.decl);
    if (owner == declared.end()) continue;
    const auto& params = program_->at(owner->second).signature->params;
    const auto index = static_cast<std::size_t>(
        std::find_if(params.begin(), params.end(),
                     [&](const FieldInfo& field) { return field.symbol == id; }) -
        params.begin());
    const auto found = sites.find(owner->second);
    if (found == sites.end() || index == params.size()) continue;
    for (const std::size_t at : found->second) {
      const CallSite& site = callSites_[at];
      enter(site.file);
      const CallBinding& binding = file_->calls.at(site.call->id);
      const std::int32_t argument = binding.argument[index];
      if (argument < 0) continue;
      const Expr* value = site.call->args[static_cast<std::size_t>(argument)].value;
      const Span neededAt = extra(id).neededAt;
      const std::string_view what = extra(id).neededFor;
      if (isError(info(*value).type)) continue;
      if (phaseOf(value) <= Phase::Submit) {
        markNeeded(value, neededAt, what);
        continue;
      }
      Diagnostic diagnostic = diagnose<Diag::KnownTooLate>(
          value->span, what, phaseWord(Phase::Submit), phaseWord(phaseOf(value)));
      diagnostic.label(neededAt, fmt::format("needed here, through `{}`", param.name));
      explainPhase(value, Phase::Submit, diagnostic);
      report(std::move(diagnostic));
    }
  }
}

void Checker::secretMisused(SymbolId symbol, Span at) {
  secretMisuses_.push_back(
      {symbol, at, secretPlace_.empty() ? "is used in an expression" : secretPlace_});
}

void Checker::reportSecrets() {
  for (const SecretMisuse& misuse : secretMisuses_) {
    Diagnostic diagnostic =
        diagnose<Diag::SecretLeak>(misuse.at, program_->at(misuse.symbol).name, misuse.place);
    diagnostic.caret = "a secret may not be used here";
    std::vector<SymbolId> path{misuse.symbol};
    while (path.size() < kMaxHops && extra(path.back()).secretFrom.valid() &&
           std::find(path.begin(), path.end(), extra(path.back()).secretFrom) == path.end()) {
      path.push_back(extra(path.back()).secretFrom);
    }
    diagnostic.label(program_->at(path.back()).declared, "the secret comes in here");
    for (std::size_t i = path.size() - 1; i-- > 0;) {
      diagnostic.label(extra(path[i]).secretAt,
                       fmt::format("passed on as `{}`", program_->at(path[i]).name));
    }
    report(std::move(diagnostic)
               .note("a secret may be passed to `secret` parameters and go into a task's "
                     "`env { NAME: … }`, nowhere else"));
  }
}

void Checker::reportRecursion() {
  std::unordered_map<SymbolId, std::vector<const CallSite*>> calls;
  std::vector<SymbolId> roots;
  for (const CallSite& site : callSites_) {
    if (!site.caller.valid()) continue;
    auto& list = calls[site.caller];
    if (list.empty()) roots.push_back(site.caller);
    list.push_back(&site);
  }
  std::sort(roots.begin(), roots.end());  // in order of declaration
  enum class Mark : std::uint8_t { New, Open, Done };
  std::vector<Mark> marks(program_->symbols.size(), Mark::New);
  struct Visit {
    SymbolId symbol;
    std::size_t next = 0;
  };
  std::unordered_set<SymbolId> circular;
  const std::vector<const CallSite*> none;
  for (const SymbolId root : roots) {
    if (marks[root.index()] != Mark::New) continue;
    std::vector<Visit> path{{root}};
    marks[root.index()] = Mark::Open;
    while (!path.empty()) {
      Visit& top = path.back();
      const auto it = calls.find(top.symbol);
      const auto& out = it == calls.end() ? none : it->second;
      if (top.next == out.size()) {
        marks[top.symbol.index()] = Mark::Done;
        path.pop_back();
        continue;
      }
      const SymbolId next = out[top.next++]->callee;
      if (marks[next.index()] == Mark::New) {
        marks[next.index()] = Mark::Open;
        path.push_back({next});
        continue;
      }
      if (marks[next.index()] != Mark::Open) continue;
      std::size_t from = path.size() - 1;
      while (path[from].symbol != next) --from;
      std::string through;
      for (std::size_t i = from + 1; i < path.size(); ++i) {
        through += fmt::format("{}`{}`", through.empty() ? " through " : ", ",
                               program_->at(path[i].symbol).name);
      }
      const auto callAt = [&](std::size_t i) {
        return calls.at(path[i].symbol)[path[i].next - 1]->call->callee->span;
      };
      const Symbol& first = program_->at(next);
      Diagnostic diagnostic =
          first.kind == SymbolKind::Fn
              ? diagnose<Diag::RecursiveFn>(callAt(from), first.name, through)
              : diagnose<Diag::RecursiveWorkflow>(callAt(from), first.name, through);
      for (std::size_t i = from; i < path.size(); ++i) {
        circular.insert(path[i].symbol);
        if (i == from || i - from >= kMaxHops) continue;
        const SymbolId to = i + 1 < path.size() ? path[i + 1].symbol : next;
        diagnostic.label(callAt(i),
                         fmt::format("`{}` calls `{}`", program_->at(path[i].symbol).name,
                                     program_->at(to).name));
      }
      if (first.kind != SymbolKind::Fn) {
        diagnostic.note("to repeat steps, write `loop state = start max n { … } until …`");
      }
      report(std::move(diagnostic));
    }
  }
  for (const LateResult& late : inferredLate_) {
    if (circular.contains(late.fn)) continue;
    report(diagnose<Diag::NeedsResultType>(late.at, program_->at(late.fn).name)
               .label(program_->at(late.fn).declared, "write it here, as in `fn f(…) -> int = …`"));
  }
}

}  // namespace couler::sema
