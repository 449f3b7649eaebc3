#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "ir/module.h"

namespace couler::testing {

/// A workflow of `layers` loops, one after the other, each over `0..width`: `width` steps a layer,
/// and each step but those of the first layer uses the outputs of three steps of the layer before,
/// picked by its index.
///
///     let l1 = for i in 0..width {
///       work(l0[i].x, l0[(i * 7 + 1) % width].x, l0[(i * 13 + 5) % width].x)
///     }
inline ir::Module layeredModule(std::int64_t layers, std::int64_t width) {
  using namespace ir;
  Module m;
  const TypeId out = m.types.record({{"x", TypeTable::kInt}});
  const TypeId outs = m.types.list(out);
  const auto task = [&](const std::string& name, std::size_t params) {
    TaskDef def;
    def.name = name;
    def.run = RunKind::Sh;
    def.script = "x=1\n";
    def.result = out;
    def.exprs = m.addRegion();
    for (std::size_t i = 0; i < params; ++i) {
      def.params.push_back(
          {std::string(1, static_cast<char>('a' + i)), TypeTable::kInt, {}, {}, {}, {}});
      m.addParam(def.exprs, TypeTable::kInt, def.params.back().name, {}, Phase::Run);
    }
    OutputDef output;
    output.name = "x";
    output.type = TypeTable::kInt;
    def.outputs.push_back(output);
    m.tasks.push_back(def);
    return TaskId{m.tasks.size() - 1};
  };
  const TaskId first = task("first", 1);
  const TaskId work = task("work", 3);

  FuncDef func;
  func.name = "layered";
  func.body = m.addRegion();
  const TypeId result = m.types.record({{"all", outs}});
  func.result = result;
  const auto op = [&](RegionId in, Builtin builtin, TypeId type, NodeId a, NodeId b) {
    const std::array<NodeId, 2> operands{a, b};
    return m.add(in, Op{builtin}, type, operands);
  };
  const auto number = [&](RegionId in, std::int64_t n) {
    return m.addConst(in, Value(n), TypeTable::kInt);
  };
  const NodeId range = op(func.body, Builtin::Range, m.types.list(TypeTable::kInt),
                          number(func.body, 0), number(func.body, width));
  NodeId previous;
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    const NodeId loop = m.add(func.body, For{}, outs, {&range, 1});
    const RegionId body = m.addRegion(loop);
    std::get<For>(m.at(loop).payload).body = body;
    const NodeId i = m.addParam(body, TypeTable::kInt, "i", {}, Phase::Compile);
    const NameId name = m.intern(std::string_view("l" + std::to_string(layer)));
    if (layer == 0) {
      m.at(body).results = {m.add(body, Step{first}, out, {&i, 1}, {}, {}, name)};
    } else {
      const auto pick = [&](NodeId index) {
        const NodeId item = op(body, Builtin::Index, out, previous, index);
        return m.add(body, Field{m.intern(std::string_view("x")), false, false}, TypeTable::kInt,
                     {&item, 1});
      };
      const auto spread = [&](std::int64_t by, std::int64_t plus) {
        const NodeId scaled = op(body, Builtin::MulInt, TypeTable::kInt, i, number(body, by));
        const NodeId moved = op(body, Builtin::AddInt, TypeTable::kInt, scaled, number(body, plus));
        return op(body, Builtin::RemInt, TypeTable::kInt, moved, number(body, width));
      };
      const std::array<NodeId, 3> inputs{pick(i), pick(spread(7, 1)), pick(spread(13, 5))};
      m.at(body).results = {m.add(body, Step{work}, out, inputs, {}, {}, name)};
    }
    m.updateAttributes(loop);
    previous = loop;
  }
  m.at(func.body).results = {m.add(func.body, Op{Builtin::MakeRecord}, result, {&previous, 1})};
  m.funcs.push_back(func);
  m.entry = FuncId{0U};
  return m;
}

}  // namespace couler::testing
