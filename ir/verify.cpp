#include "ir/verify.h"

#include "ir/verify_internal.h"

namespace couler::ir {

std::vector<std::string> Verifier::run() {
  if (!idsInRange()) return std::move(problems_);
  for (const TaskDef& task : m_.tasks) verifyTask(task);
  std::unordered_set<std::string_view> names;
  for (const FuncDef& func : m_.funcs) {
    if (!names.insert(func.name).second) problem("two functions are named `{}`", func.name);
    verifyFunc(func);
  }
  names.clear();
  for (const TaskDef& task : m_.tasks) {
    if (!names.insert(task.name).second) problem("two tasks are named `{}`", task.name);
  }
  for (const TestDef& test : m_.tests) verifyTest(test);
  if (m_.entry.valid() && m_.at(m_.entry).kind != FuncKind::Workflow) {
    problem("the entry `{}` is no workflow", m_.at(m_.entry).name);
  }
  verifyCallsAcyclic();
  return std::move(problems_);
}

void Verifier::verifyTask(const TaskDef& task) {
  std::vector<TypeField> fields;
  for (const OutputDef& output : task.outputs) fields.push_back({output.name, output.type});
  if (task.result != types_.record(std::move(fields))) {
    problem("task `{}` gives `{}`, not the record of its outputs", task.name, type(task.result));
  }
  verifyFallbacks(task.params, task.name);
  const Region& exprs = m_.at(task.exprs);
  std::vector<TypeId> params;
  for (const ParamDef& param : task.params) params.push_back(param.type);
  for (const OutputDef& output : task.outputs) {
    if (output.from == OutputFrom::Path && task.run != RunKind::Table) {
      params.push_back(TypeTable::kString);
    }
  }
  verifyRegionParams(exprs, params, "task `" + task.name + "`");
  walk(task.exprs, {}, Inside::Expressions);
  const auto result = [&](std::uint32_t index, std::string_view what) {
    if (index < exprs.results.size()) return true;
    problem("{} of task `{}` is result {} of {}", what, task.name, index, exprs.results.size());
    return false;
  };
  for (const TaskDef::Word& word : task.argv) {
    if (!result(word.result, "a word")) continue;
    const TypeId wordType = m_.at(exprs.results[word.result]).type;
    const TypeKind kind = types_.kind(wordType);
    if (word.spread && kind != TypeKind::List && kind != TypeKind::Error) {
      problem("a spread word of task `{}` is `{}`, not a list", task.name, type(wordType));
    }
  }
  for (const TaskDef::Env& env : task.env) result(env.result, "environment value");
  if (task.run == RunKind::Table) verifyPlan(task);
  if (task.run == RunKind::Argv && !task.script.empty()) {
    problem("task `{}` has words and a script", task.name);
  }
  if (task.run != RunKind::Argv && !task.argv.empty()) {
    problem("script task `{}` has words", task.name);
  }
}

void Verifier::verifyFallbacks(const std::vector<ParamDef>& params, std::string_view of) {
  for (const ParamDef& param : params) {
    if (param.fallback.valid()) verifyValue(param.fallback, param.type, "default of", of);
  }
}

void Verifier::verifyFunc(const FuncDef& func) {
  verifyFallbacks(func.params, func.name);
  std::vector<TypeId> params;
  for (const ParamDef& param : func.params) params.push_back(param.type);
  const Region& body = m_.at(func.body);
  verifyRegionParams(body, params, "`" + func.name + "`");
  const bool isFn = func.kind == FuncKind::Fn;
  walk(func.body, {}, isFn ? Inside::Expressions : Inside::Steps);
  if (body.results.size() != 1) {
    problem("`{}` has {} results, not 1", func.name, body.results.size());
  } else if (!types_.accepts(func.result, m_.at(body.results[0]).type)) {
    problem("`{}` gives `{}`, not `{}`", func.name, type(m_.at(body.results[0]).type),
            type(func.result));
  }
  if (!func.finally.valid()) return;
  if (isFn) problem("fn `{}` has a `finally`", func.name);
  walk(func.finally, body.params, Inside::Steps);
}

void Verifier::verifyTest(const TestDef& test) {
  walk(test.body, {}, Inside::Expressions);
  const Region& body = m_.at(test.body);
  if (body.results.size() != test.expectations.size()) {
    problem("test `{}` has {} results and {} expectations", test.title, body.results.size(),
            test.expectations.size());
  }
  for (const NodeId id : body.results) {
    if (!types_.accepts(TypeTable::kBool, m_.at(id).type)) {
      problem("test `{}` expects a `{}`", test.title, type(m_.at(id).type));
    }
  }
}

void Verifier::verifyRegionParams(const Region& region, std::span<const TypeId> want,
                                  const std::string& of) {
  if (region.params.size() != want.size()) {
    problem("the body of {} has {} parameters, not {}", of, region.params.size(), want.size());
    return;
  }
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (m_.at(region.params[i]).type == want[i]) continue;
    problem("parameter {} of {} is `{}` in its body, not `{}`", i, of,
            type(m_.at(region.params[i]).type), type(want[i]));
  }
}

/// No function comes to call itself: `inline` and the evaluator rely on it.
void Verifier::verifyCallsAcyclic() {
  std::vector<std::vector<std::uint32_t>> callees(m_.funcs.size());
  std::vector<RegionId> pending;
  for (std::size_t f = 0; f < m_.funcs.size(); ++f) {
    pending.assign(1, m_.funcs[f].body);
    if (m_.funcs[f].finally.valid()) pending.push_back(m_.funcs[f].finally);
    std::unordered_set<std::uint32_t> seenRegions;
    while (!pending.empty()) {
      const RegionId region = pending.back();
      pending.pop_back();
      if (!seenRegions.insert(region.index()).second) continue;
      for (const NodeId id : m_.at(region).nodes) {
        for (const RegionId inner : m_.regionsOf(m_.at(id))) pending.push_back(inner);
        if (const Call* call = m_.payload<Call>(id)) callees[f].push_back(call->callee.index());
      }
    }
  }
  enum class Mark : std::uint8_t { New, Open, Done };
  std::vector<Mark> marks(m_.funcs.size(), Mark::New);
  std::vector<std::pair<std::uint32_t, std::size_t>> stack;
  for (std::uint32_t root = 0; root < m_.funcs.size(); ++root) {
    if (marks[root] != Mark::New) continue;
    stack.emplace_back(root, 0);
    marks[root] = Mark::Open;
    while (!stack.empty()) {
      auto& [func, next] = stack.back();
      if (next == callees[func].size()) {
        marks[func] = Mark::Done;
        stack.pop_back();
        continue;
      }
      const std::uint32_t callee = callees[func][next++];
      if (marks[callee] == Mark::Open) {
        problem("`{}` comes to call itself", m_.funcs[callee].name);
      } else if (marks[callee] == Mark::New) {
        marks[callee] = Mark::Open;
        stack.emplace_back(callee, 0);
      }
    }
  }
}

std::vector<std::string> verify(const Module& module) { return Verifier(module).run(); }

}  // namespace couler::ir
