#include <algorithm>
#include <utility>

#include "ir/module.h"

// Effect, footprint and phase of a node, from its payload, its operands and what it owns. All three
// are lattices in the order of their enumerators, so a whole has the greatest of its parts.
namespace couler::ir {

namespace {

struct Attributes {
  Effect effect = Effect::Pure;
  Footprint footprint = Footprint::Pointwise;
  Phase phase = Phase::Compile;

  void join(Effect other) { effect = std::max(effect, other); }
  void join(Footprint other) { footprint = std::max(footprint, other); }
  void join(Phase other) { phase = std::max(phase, other); }
};

Footprint footprintOf(Builtin op) {
  switch (op) {
    case Builtin::MinList:
    case Builtin::MaxList:
    case Builtin::SumInt:
    case Builtin::SumFloat:
    case Builtin::SumDuration:
    case Builtin::SumSize:
    case Builtin::LengthList:
    case Builtin::Any:
    case Builtin::All:
      return Footprint::AssociativeReduce;
    case Builtin::MeanInt:
    case Builtin::MeanFloat:
    case Builtin::Sort:
    case Builtin::Distinct:
    case Builtin::ReverseList:
    case Builtin::IndexOf:
    case Builtin::Enumerate:
    case Builtin::Take:
    case Builtin::Drop:
    case Builtin::Slice:
    case Builtin::First:
    case Builtin::Last:
      return Footprint::All;
    default:
      return Footprint::Pointwise;
  }
}

Footprint footprintOf(RowsOp op) {
  switch (op) {
    case RowsOp::Read:
    case RowsOp::Filter:
    case RowsOp::Map:
    case RowsOp::Concat:
      return Footprint::Pointwise;
    case RowsOp::Group:
      return Footprint::AssociativeReduce;
    case RowsOp::Sort:
    case RowsOp::Limit:
    case RowsOp::Distinct:
    case RowsOp::Join:
      break;
  }
  return Footprint::All;
}

void joinRegion(const Module& module, RegionId id, bool results, Attributes& into) {
  if (!id.valid()) return;
  const Region& region = module.at(id);
  for (const NodeId node : region.nodes) {
    into.join(module.at(node).effect);
    into.join(module.at(node).footprint);
  }
  if (!results) return;
  for (const NodeId node : region.results) into.join(module.at(node).phase);
}

Attributes compute(const Module& module, const Node& node) {
  Attributes result;
  for (const NodeId operand : module.operands(node)) result.join(module.at(operand).phase);
  const auto runs = [&] { result.phase = Phase::Run; };
  std::visit(Overloaded{[](std::monostate) {}, [](const Const&) {},
                        [&](const Param&) { result = {node.effect, node.footprint, node.phase}; },
                        [&](const Op& op) {
                          result.footprint = footprintOf(op.op);
                          if (op.op == Builtin::Glob) {
                            result.join(Effect::Source);
                            result.join(Phase::Submit);
                          }
                        },
                        [](const Field&) {},
                        [&](const Step& step) {
                          if (module.at(step.task).isVolatile) result.effect = Effect::Opaque;
                          result.footprint = Footprint::All;
                          runs();
                        },
                        [&](const Call& call) {
                          const FuncDef& callee = module.at(call.callee);
                          joinRegion(module, callee.body, false, result);
                          joinRegion(module, callee.finally, false, result);
                          if (callee.kind == FuncKind::Workflow) {
                            result.footprint = Footprint::All;
                            runs();
                          }
                        },
                        [&](const For& x) { joinRegion(module, x.body, true, result); },
                        [&](const If& x) {
                          joinRegion(module, x.then, true, result);
                          joinRegion(module, x.otherwise, true, result);
                        },
                        [&](const Loop& x) { joinRegion(module, x.body, true, result); },
                        [&](const Try& x) { joinRegion(module, x.body, true, result); },
                        [&](const Rows& x) {
                          joinRegion(module, x.body, false, result);
                          result.join(footprintOf(x.op));
                          runs();
                        }},
             node.payload);
  return result;
}

}  // namespace

void Module::updateAttributes(NodeId id) {
  const Attributes result = compute(*this, at(id));
  Node& node = at(id);
  node.effect = result.effect;
  node.footprint = result.footprint;
  node.phase = result.phase;
}

void Module::updateAllAttributes() {
  // Callees and nested bodies first, but a nested body only when its owner is next, since it may
  // use the nodes before that. The stack is explicit: calls may nest deeply.
  enum class Mark : std::uint8_t { New, Open, Done };
  std::vector<Mark> marks(regions.size(), Mark::New);
  struct Cursor {
    RegionId region;
    std::size_t next = 0;
  };
  std::vector<Cursor> stack;
  for (std::size_t i = 0; i < regions.size(); ++i) {
    if (regions[i].owner.valid() || marks[i] != Mark::New) continue;
    stack.push_back({RegionId{i}});
    marks[i] = Mark::Open;
    while (!stack.empty()) {
      Cursor& top = stack.back();
      const Region& region = at(top.region);
      if (top.next == region.nodes.size()) {
        marks[top.region.index()] = Mark::Done;
        stack.pop_back();
        continue;
      }
      const NodeId id = region.nodes[top.next];
      std::vector<RegionId> first = regionsOf(at(id));
      if (const Call* call = payload<Call>(id)) {
        if (at(call->callee).body.valid()) first.push_back(at(call->callee).body);
        if (at(call->callee).finally.valid()) first.push_back(at(call->callee).finally);
      }
      // An open one is a call cycle, which the checker has refused: no attribute to wait for.
      const auto waiting = std::find_if(first.begin(), first.end(),
                                        [&](RegionId r) { return marks[r.index()] == Mark::New; });
      if (waiting != first.end()) {
        marks[waiting->index()] = Mark::Open;
        stack.push_back({*waiting});
        continue;
      }
      updateAttributes(id);
      ++top.next;
    }
  }
}

}  // namespace couler::ir
