#include "frontend/lower/lower.h"

#include <algorithm>
#include <array>
#include <utility>

#include "frontend/lower/lowerer.h"
#include "support/text.h"

namespace couler {

std::optional<ir::Module> lowerProgram(const SourceManager& sources, const sema::Program& program,
                                       std::string_view entry, bool needEntry,
                                       DiagnosticSink& diags) {
  return lower::Lowerer(sources, program, diags).run(entry, needEntry);
}

namespace lower {

using namespace syntax;

namespace {

/// Passes messages on and remembers whether one of them was an error.
class Watch final : public DiagnosticSink {
 public:
  explicit Watch(DiagnosticSink& to) : to_(to) {}
  void take(Diagnostic diagnostic) override {
    failed |= diagnostic.severity == Severity::Error;
    to_.take(std::move(diagnostic));
  }
  bool failed = false;

 private:
  DiagnosticSink& to_;
};

}  // namespace

Lowerer::Lowerer(const SourceManager& sources, const sema::Program& program, DiagnosticSink& diags)
    : sources_(sources), program_(program), diags_(diags) {
  m_.types = program.types;
}

std::optional<ir::Module> Lowerer::run(std::string_view entry, bool needEntry) {
  Watch watch(diags_);
  Lowerer inner(sources_, program_, watch);
  inner.declareRoot();
  inner.drain();
  inner.chooseEntry(entry, needEntry);
  if (watch.failed) return std::nullopt;
  return std::move(inner.m_);
}

void Lowerer::declareRoot() {
  file_ = program_.root;
  const sema::FileInfo& root = program_.files[file_.index()];
  if (root.tree == nullptr) return;
  const auto symbolOf = [&](const Decl* decl) { return root.declared.at(decl); };
  for (const Decl* decl : root.tree->decls) {
    if (decl->kind == DeclKind::Task) requireTask(symbolOf(decl));
    if (decl->kind == DeclKind::Fn || decl->kind == DeclKind::Workflow ||
        decl->kind == DeclKind::Transform) {
      requireFunc(symbolOf(decl));
    }
  }
  drain();
  for (const Decl* decl : root.tree->decls) {
    file_ = program_.root;
    if (decl->kind == DeclKind::Target) lowerTarget(static_cast<const TargetDecl&>(*decl));
    if (decl->kind == DeclKind::Test) lowerTest(static_cast<const TestDecl&>(*decl));
  }
}

void Lowerer::drain() {
  do {
    while (!pendingFns_.empty() || !pendingWorkflows_.empty() || !pendingTasks_.empty() ||
           !pendingTransforms_.empty()) {
      for (const ir::FuncId id : std::exchange(pendingFns_, {})) lowerFunc(id);
      for (const ir::FuncId id : std::exchange(pendingWorkflows_, {})) lowerFunc(id);
      for (const ir::TaskId id : std::exchange(pendingTasks_, {})) lowerTask(id);
      for (const ir::TaskId id : std::exchange(pendingTransforms_, {})) lowerTransformTask(id);
    }
  } while (nextParams());
}

bool Lowerer::nextParams() {
  if (paramsDone_ == m_.funcs.size()) return false;
  const ir::FuncId id{paramsDone_++};
  const sema::Symbol& symbol = program_.at(funcSymbols_[id.index()]);
  file_ = symbol.file;
  std::vector<ir::ParamDef> defs = params(symbol.signature->params);
  if (symbol.signature->perRow) defs.front().type = m_.types.table(defs.front().type);
  m_.at(id).params = std::move(defs);
  return true;
}

std::string Lowerer::uniqueName(std::string_view name) {
  const std::uint32_t uses = ++globalNames_[std::string(name)];
  return uses == 1 ? std::string(name) : fmt::format("{}-{}", name, uses);
}

ir::FuncId Lowerer::requireFunc(SymbolId symbol) {
  const auto [it, isNew] = funcs_.try_emplace(symbol, ir::FuncId{m_.funcs.size()});
  if (!isNew) return it->second;
  const sema::Symbol& info = program_.at(symbol);
  const bool isFn = info.kind == SymbolKind::Fn || info.kind == SymbolKind::Transform;
  ir::FuncDef& func = m_.funcs.emplace_back();
  func.name = uniqueName(info.name);
  func.kind = isFn ? ir::FuncKind::Fn : ir::FuncKind::Workflow;
  func.result = info.signature->result;
  func.doc = info.decl->doc;
  func.span = info.decl->span;
  funcSymbols_.push_back(symbol);
  progress_.push_back(Progress::New);
  (isFn ? pendingFns_ : pendingWorkflows_).push_back(it->second);
  return it->second;
}

ir::TaskId Lowerer::requireTask(SymbolId symbol) {
  const auto [it, isNew] = tasks_.try_emplace(symbol, ir::TaskId{m_.tasks.size()});
  if (!isNew) return it->second;
  const sema::Symbol& info = program_.at(symbol);
  ir::TaskDef& task = m_.tasks.emplace_back();
  task.name = uniqueName(info.name);
  task.result = info.signature->result;
  task.isVolatile = static_cast<const TaskDecl&>(*info.decl).isVolatile;
  task.doc = info.decl->doc;
  task.span = info.decl->span;
  taskSymbols_.push_back(symbol);
  pendingTasks_.push_back(it->second);
  return it->second;
}

std::vector<ir::ParamDef> Lowerer::params(const std::vector<sema::FieldInfo>& fields) {
  std::vector<ir::ParamDef> result;
  for (const sema::FieldInfo& field : fields) {
    ir::ParamDef& param = result.emplace_back();
    param.name = field.name;
    param.type = paramType(field, file_);
    param.fallback = fallback(field, file_);
    param.doc = field.syntax->doc;
    param.span = field.syntax->span;
  }
  return result;
}

void Lowerer::addParams(RegionId region, const std::vector<sema::FieldInfo>& fields) {
  for (const sema::FieldInfo& field : fields) {
    values_[field.symbol] = m_.addParam(region, paramType(field, file_), field.name,
                                        field.syntax->name.span, program_.at(field.symbol).phase);
  }
  for (const sema::FieldInfo& field : fields) {
    if (!hasComputedDefault(field, file_)) continue;
    const std::array<NodeId, 2> sides = {values_[field.symbol],
                                         lowerAs(*field.syntax->value, field.type)};
    values_[field.symbol] = op(ir::Builtin::Coalesce, field.type, sides, field.syntax->span);
  }
}

bool Lowerer::hasComputedDefault(const sema::FieldInfo& field, FileId file) const {
  return field.syntax != nullptr && field.syntax->value != nullptr &&
         program_.info(file, *field.syntax->value).phase != ir::Phase::Compile;
}

TypeId Lowerer::paramType(const sema::FieldInfo& field, FileId file) {
  return hasComputedDefault(field, file) ? m_.types.optional(field.type) : field.type;
}

void Lowerer::lowerFunc(ir::FuncId id) {
  if (progress_[id.index()] != Progress::New) return;  // a constant needed it earlier
  progress_[id.index()] = Progress::Open;
  const sema::Symbol& symbol = program_.at(funcSymbols_[id.index()]);
  // This may be in the middle of another function, which asked for a constant that calls this one.
  const FileId fileBefore = std::exchange(file_, symbol.file);
  const RegionId regionBefore = std::exchange(region_, m_.addRegion());
  auto namesBefore = std::exchange(stepNames_, {});
  const Expr* namedBefore = std::exchange(namedCall_, nullptr);
  const Expr* orderedBefore = std::exchange(orderedCall_, nullptr);
  auto orderBefore = std::exchange(order_, {});

  RowScope* rowsBefore = std::exchange(rows_, nullptr);

  m_.at(id).body = region_;
  addParams(region_, symbol.signature->params);
  if (symbol.kind == SymbolKind::Transform) {
    lowerTransform(id);
  } else if (symbol.kind == SymbolKind::Fn) {
    lowerFn(id, static_cast<const FnDecl&>(*symbol.decl));
  } else {
    lowerWorkflow(id, static_cast<const WorkflowDecl&>(*symbol.decl));
  }
  progress_[id.index()] = Progress::Done;

  file_ = fileBefore;
  region_ = regionBefore;
  stepNames_ = std::move(namesBefore);
  namedCall_ = namedBefore;
  orderedCall_ = orderedBefore;
  order_ = std::move(orderBefore);
  rows_ = rowsBefore;
}

void Lowerer::lowerFn(ir::FuncId id, const FnDecl& decl) {
  const NodeId result = lowerAs(*decl.body, m_.at(id).result);
  m_.at(m_.at(id).body).results = {result};
}

void Lowerer::lowerWorkflow(ir::FuncId id, const WorkflowDecl& decl) {
  const sema::Signature& signature = *program_.at(funcSymbols_[id.index()]).signature;
  const RegionId body = region_;
  lowerBodyStatements(*decl.body, signature, body);
  for (const Stmt* stmt : decl.body->statements) {
    if (stmt->kind != StmtKind::Finally) continue;
    const RegionId finally = m_.addRegion();
    m_.at(id).finally = finally;
    inRegion(finally, [&] {
      const auto& declared = program_.files[file_.index()].declared;
      values_[declared.at(stmt)] =
          m_.addParam(finally, ir::TypeTable::kString, "status", stmt->span, ir::Phase::Run);
      lowerBlock(*static_cast<const FinallyStmt*>(stmt)->body, {}, false);
      const NodeId result = emptyRecord(stmt->span);
      m_.at(finally).results = {result};
    });
  }
}

void Lowerer::lowerTarget(const TargetDecl& decl) {
  ir::TargetDef target;
  target.name = decl.name.text;
  target.engine = decl.engine.text;
  target.span = decl.span;
  for (const Setting& setting : decl.settings) {
    std::optional<ir::Value> value;
    if (setting.value->kind == ExprKind::Call &&
        !program_.files[file_.index()].calls.contains(setting.value->id)) {
      const auto& call = static_cast<const CallExpr&>(*setting.value);
      ir::NamedItems fields;
      fields.emplace_back("kind",
                          std::string(static_cast<const NameExpr&>(*call.callee).name.text));
      for (const Argument& arg : call.args) {
        std::optional<ir::Value> field = constant(file_, *arg.value, info(*arg.value).type);
        if (field) fields.emplace_back(std::string(arg.name.text), std::move(*field));
      }
      value = ir::Value::record(std::move(fields));
    } else {
      value = constant(file_, *setting.value, info(*setting.value).type);
    }
    if (value) {
      target.settings.emplace_back(std::string(setting.key.text), m_.intern(std::move(*value)));
    }
  }
  m_.targets.push_back(std::move(target));
}

void Lowerer::lowerTest(const TestDecl& decl) {
  ir::TestDef test;
  test.title = decl.title;
  test.span = decl.titleSpan;
  test.body = m_.addRegion();
  inRegion(test.body, [&] {
    if (decl.body != nullptr) lowerBlock(*decl.body, {}, false);
    for (const Expr* expectation : decl.expectations) {
      const NodeId result = lowerAs(*expectation, ir::TypeTable::kBool);
      m_.at(test.body).results.push_back(result);
      test.expectations.push_back(expectation->span);
    }
  });
  m_.tests.push_back(std::move(test));
}

std::vector<const WorkflowDecl*> Lowerer::topWorkflows() const {
  const sema::FileInfo& root = program_.files[program_.root.index()];
  std::unordered_set<SymbolId> called;
  for (const auto& [id, binding] : root.calls) {
    if (binding.callee.valid()) called.insert(binding.callee);
  }
  std::vector<const WorkflowDecl*> result;
  if (root.tree == nullptr) return result;
  for (const Decl* decl : root.tree->decls) {
    if (decl->kind == DeclKind::Workflow && !called.contains(root.declared.at(decl))) {
      result.push_back(static_cast<const WorkflowDecl*>(decl));
    }
  }
  return result;
}

void Lowerer::chooseEntry(std::string_view entry, bool needEntry) {
  const sema::FileInfo& root = program_.files[program_.root.index()];
  if (root.tree == nullptr) return;
  const Span fileStart{program_.root, 0, 0};
  if (!entry.empty()) {
    std::vector<std::string_view> names;
    for (const Decl* decl : root.tree->decls) {
      if (decl->kind != DeclKind::Workflow) continue;
      if (decl->name.text == entry) {
        m_.entry = funcs_.at(root.declared.at(decl));
        return;
      }
      names.push_back(decl->name.text);
    }
    Diagnostic diagnostic =
        diagnose<Diag::UnknownWorkflow>(fileStart, sources_.path(program_.root), entry);
    if (const auto near = nearest(entry, names)) {
      diagnostic.note(fmt::format("did you mean `{}`?", *near));
    } else if (!names.empty()) {
      diagnostic.note(fmt::format("it has `{}`", fmt::join(names, "`, `")));
    }
    diags_.take(std::move(diagnostic));
    return;
  }
  const std::vector<const WorkflowDecl*> candidates = topWorkflows();
  if (candidates.size() == 1) {
    m_.entry = funcs_.at(root.declared.at(candidates.front()));
  } else if (needEntry && candidates.empty()) {
    diags_.take(diagnose<Diag::NoWorkflow>(fileStart, sources_.path(program_.root)));
  } else if (needEntry) {
    Diagnostic diagnostic = diagnose<Diag::SeveralWorkflows>(
        candidates.front()->name.span, sources_.path(program_.root), candidates.size());
    for (std::size_t i = 1; i < candidates.size(); ++i) {
      diagnostic.label(candidates[i]->name.span, "and this one");
    }
    diagnostic.note(
        fmt::format("say which, as in `{}` after the file's name", candidates.front()->name.text));
    diags_.take(std::move(diagnostic));
  }
}

}  // namespace lower
}  // namespace couler
