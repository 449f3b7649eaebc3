#include "ir/verify_internal.h"

namespace couler::ir {

bool Verifier::idsInRange() {
  for (std::size_t i = 0; i < m_.nodes.size() && problems_.size() < kMaxProblems; ++i) {
    nodeIdsInRange(NodeId{i});
  }
  for (std::size_t i = 0; i < m_.regions.size(); ++i) {
    const Region& region = m_.regions[i];
    for (const auto* list : {&region.params, &region.nodes, &region.results}) {
      for (const NodeId id : *list) {
        if (id.index() >= m_.nodes.size()) problem("region {} lists a node that is none", i);
      }
    }
    if (region.owner.valid() && region.owner.index() >= m_.nodes.size()) {
      problem("region {} has an owner that is no node", i);
    }
  }
  const auto checkRegion = [&](RegionId id, std::string_view what, std::string_view name) {
    if (id.index() >= m_.regions.size()) problem("{} `{}` has no body", what, name);
  };
  for (const TaskDef& task : m_.tasks) {
    checkRegion(task.exprs, "task", task.name);
    if (!typeOk(task.result)) problem("task `{}` has a result of no type", task.name);
    paramIdsInRange(task.params, task.name);
    for (const OutputDef& output : task.outputs) {
      if (!typeOk(output.type)) problem("output `{}` has no type", output.name);
    }
  }
  for (const FuncDef& func : m_.funcs) {
    checkRegion(func.body, "function", func.name);
    if (func.finally.valid()) checkRegion(func.finally, "function", func.name);
    if (!typeOk(func.result)) problem("function `{}` has a result of no type", func.name);
    paramIdsInRange(func.params, func.name);
  }
  for (const TestDef& test : m_.tests) checkRegion(test.body, "test", test.title);
  for (const TargetDef& target : m_.targets) {
    for (const auto& [key, value] : target.settings) {
      if (!constOk(value)) problem("setting `{}` of target `{}` has no value", key, target.name);
    }
  }
  for (const auto& [id, cost] : m_.costs) {
    if (id.index() >= m_.nodes.size()) problem("a cost is of a node that is none");
  }
  if (m_.entry.valid() && m_.entry.index() >= m_.funcs.size()) problem("the entry is no function");
  return problems_.empty();
}

void Verifier::paramIdsInRange(const std::vector<ParamDef>& params, std::string_view of) {
  for (const ParamDef& param : params) {
    if (!typeOk(param.type)) problem("parameter `{}` of `{}` has no type", param.name, of);
    if (param.fallback.valid() && !constOk(param.fallback)) {
      problem("parameter `{}` of `{}` has a default that is none", param.name, of);
    }
  }
}

void Verifier::nodeIdsInRange(NodeId id) {
  const Node& node = m_.at(id);
  if (std::holds_alternative<std::monostate>(node.payload)) return;
  const auto at = id.index();
  if (!typeOk(node.type)) problem("node {} has no type", at);
  if (node.region.index() >= m_.regions.size()) problem("node {} is in no region", at);
  if (node.name.valid() && node.name.index() >= m_.nameCount())
    problem("node {} has a bad name", at);
  const std::uint64_t end = std::uint64_t{node.firstOperand} + node.operandCount + node.orderCount;
  if (end > m_.operandPool.size()) {
    problem("node {} has operands outside the pool", at);
  } else {
    for (std::uint64_t i = node.firstOperand; i < end; ++i) {
      if (m_.operandPool[i].index() >= m_.nodes.size()) {
        problem("node {} has an operand that is no node", at);
      }
    }
  }
  const auto body = [&](RegionId region) {
    if (region.index() >= m_.regions.size()) problem("node {} has no body", at);
  };
  std::visit(Overloaded{[](std::monostate) {}, [](const Param&) {},
                        [&](const Const& c) {
                          if (!constOk(c.value)) problem("node {} has no value", at);
                        },
                        [&](const Op& op) {
                          if (static_cast<std::size_t>(op.op) >= builtinTable().size()) {
                            problem("node {} is an unknown operation", at);
                          }
                        },
                        [&](const Field& f) {
                          if (f.name.index() >= m_.nameCount()) problem("node {} has no field", at);
                        },
                        [&](const Step& s) {
                          if (s.task.index() >= m_.tasks.size()) problem("node {} has no task", at);
                        },
                        [&](const Call& c) {
                          if (c.callee.index() >= m_.funcs.size()) {
                            problem("node {} has no callee", at);
                          }
                        },
                        [&](const For& x) { body(x.body); },
                        [&](const If& x) {
                          body(x.then);
                          if (x.otherwise.valid()) body(x.otherwise);
                        },
                        [&](const Loop& x) { body(x.body); }, [&](const Try& x) { body(x.body); },
                        [&](const Rows& x) {
                          if (hasBody(x.op)) body(x.body);
                        }},
             node.payload);
}

}  // namespace couler::ir
