#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ir/module.h"

/// Graphs of steps of many shapes, made and real ones, for what cuts workflows into parts.
namespace couler::testing {

struct Shape {
  std::string name;
  std::vector<double> seconds;                      ///< by step
  std::vector<std::vector<std::uint32_t>> before;   ///< by step: lower ones
  std::uint32_t add(double takes, std::vector<std::uint32_t> waitsFor = {}) {
    seconds.push_back(takes);
    before.push_back(std::move(waitsFor));
    return static_cast<std::uint32_t>(seconds.size() - 1);
  }
  [[nodiscard]] std::size_t size() const { return seconds.size(); }
};

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : state_(seed * 2 + 1) {}
  std::uint64_t next() {  // splitmix64 (Steele, Lea, Flood 2014)
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31U);
  }
  std::uint32_t below(std::size_t n) { return static_cast<std::uint32_t>(next() % n); }
  double seconds() { return 1 + static_cast<double>(next() % 9000) / 1000; }

 private:
  std::uint64_t state_;
};

inline Shape fanOut(std::uint32_t steps) {
  Shape shape{fmt::format("fan-out {}", steps), {}, {}};
  Chance chance(1);
  const std::uint32_t first = shape.add(chance.seconds());
  std::vector<std::uint32_t> all;
  while (shape.size() + 1 < steps) all.push_back(shape.add(chance.seconds(), {first}));
  shape.add(chance.seconds(), all);
  return shape;
}

inline Shape pipelines(std::uint32_t lanes, std::uint32_t length) {
  Shape shape{fmt::format("{} pipelines of {}", lanes, length), {}, {}};
  Chance chance(2);
  const std::uint32_t first = shape.add(chance.seconds());
  std::vector<std::uint32_t> last(lanes, first);
  for (std::uint32_t i = 0; i < length; ++i) {
    for (std::uint32_t& lane : last) lane = shape.add(chance.seconds(), {lane});
  }
  shape.add(chance.seconds(), last);
  return shape;
}

/// Each step uses up to three of the layer before, by its place in its own.
inline Shape layered(std::uint32_t layers, std::uint32_t width) {
  Shape shape{fmt::format("{} layers of {}", layers, width), {}, {}};
  Chance chance(3);
  for (std::uint32_t layer = 0; layer < layers; ++layer) {
    for (std::uint32_t i = 0; i < width; ++i) {
      std::set<std::uint32_t> uses;
      if (layer != 0) {
        const std::uint32_t base = (layer - 1) * width;
        uses = {base + i, base + (i * 7 + 1) % width, base + (i * 13 + 5) % width};
      }
      shape.add(chance.seconds(), {uses.begin(), uses.end()});
    }
  }
  return shape;
}

/// Each step uses up to two of the layer before, any of them.
inline Shape randomLayers(std::uint32_t layers, std::uint32_t width) {
  Shape shape{fmt::format("{} random layers of {}", layers, width), {}, {}};
  Chance chance(4);
  for (std::uint32_t layer = 0; layer < layers; ++layer) {
    for (std::uint32_t i = 0; i < width; ++i) {
      std::set<std::uint32_t> uses;
      if (layer != 0) {
        const std::uint32_t base = (layer - 1) * width;
        uses = {base + chance.below(width), base + chance.below(width)};
      }
      shape.add(chance.seconds(), {uses.begin(), uses.end()});
    }
  }
  return shape;
}

/// Each step uses up to two of the 200 before it.
inline Shape randomGraph(std::uint32_t steps, std::uint64_t seed = 5) {
  Shape shape{fmt::format("random {}", steps), {}, {}};
  Chance chance(seed);
  for (std::uint32_t i = 0; i < steps; ++i) {
    std::set<std::uint32_t> uses;
    const std::uint32_t reach = std::min(i, 200U);
    for (std::uint32_t n = chance.below(3); n != 0 && reach != 0; --n) uses.insert(i - 1 - chance.below(reach));
    shape.add(chance.seconds(), {uses.begin(), uses.end()});
  }
  return shape;
}

/// One after the other: a step, two beside each other, a step that joins them.
inline Shape diamonds(std::uint32_t steps) {
  Shape shape{fmt::format("diamond chain {}", steps), {}, {}};
  Chance chance(6);
  std::uint32_t last = shape.add(chance.seconds());
  while (shape.size() + 3 <= steps) {
    const std::uint32_t left = shape.add(chance.seconds(), {last});
    const std::uint32_t right = shape.add(chance.seconds(), {last});
    last = shape.add(chance.seconds(), {left, right});
  }
  return shape;
}

/// One shape with the steps of another in it, `copies` times side by side.
inline void append(Shape& shape, const Shape& more, std::uint32_t copies = 1) {
  for (std::uint32_t copy = 0; copy < copies; ++copy) {
    const auto base = static_cast<std::uint32_t>(shape.size());
    for (std::size_t i = 0; i < more.size(); ++i) {
      std::vector<std::uint32_t> before = more.before[i];
      for (std::uint32_t& step : before) step += base;
      shape.add(more.seconds[i], std::move(before));
    }
  }
}

/// Steps named by their maker, in any order, as a shape; those in a circle are left out.
inline Shape sorted(std::string name, const std::map<std::string, std::pair<double, std::vector<std::string>>>& steps) {
  Shape shape{std::move(name), {}, {}};
  std::map<std::string, std::uint32_t> done;
  for (bool more = true; more;) {
    more = false;
    for (const auto& [id, step] : steps) {
      if (done.contains(id)) continue;
      std::vector<std::uint32_t> before;
      bool ready = true;
      for (const std::string& parent : step.second) {
        if (!steps.contains(parent)) continue;
        const auto found = done.find(parent);
        ready = ready && found != done.end();
        if (ready) before.push_back(found->second);
      }
      if (!ready) continue;
      std::sort(before.begin(), before.end());
      before.erase(std::unique(before.begin(), before.end()), before.end());
      done[id] = shape.add(step.first, std::move(before));
      more = true;
    }
  }
  return shape;
}

/// The folder of real data, or nothing.
inline std::string corpora() {
  const char* set = std::getenv("COULER_CORPORA");
  return set != nullptr ? set : "../shared/corpora";
}

/// A workflow of wfcommons/WfInstances; empty where it is not there.
inline Shape wfInstance(const std::string& path) {
  std::ifstream file(path);
  const auto json = nlohmann::json::parse(file, nullptr, false);
  if (json.is_discarded() || !json.contains("workflow")) return {};
  std::map<std::string, double> seconds;
  for (const auto& task : json["workflow"]["execution"]["tasks"]) {
    seconds[task.value("id", "")] = task.value("runtimeInSeconds", 1.0);
  }
  std::map<std::string, std::pair<double, std::vector<std::string>>> steps;
  for (const auto& task : json["workflow"]["specification"]["tasks"]) {
    const std::string id = task.value("id", "");
    steps[id] = {seconds.contains(id) ? seconds[id] : 1, task.value("parents", std::vector<std::string>())};
  }
  const std::size_t slash = path.rfind('/');
  return sorted(path.substr(slash + 1, path.rfind('.') - slash - 1), steps);
}

/// All jobs of an hour of Alibaba's cluster as one workflow, side by side.
inline Shape alibabaHour() {
  std::ifstream file(corpora() + "/alibaba-dag-2018/batch_tasks_1h.csv");
  std::map<std::string, std::map<std::string, std::pair<double, std::vector<std::string>>>> jobs;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::istringstream row(line);
    std::string cells[4];
    for (std::string& cell : cells) std::getline(row, cell, ',');
    // `J3_1_2` is task 3 and reads what 1 and 2 made; names of other forms stand in no graph.
    if (cells[2].starts_with("task_")) continue;
    std::istringstream name(cells[2]);
    std::string id;
    std::vector<std::string> before;
    for (std::string part; std::getline(name, part, '_');) {
      if (id.empty()) {
        const std::size_t digit = part.find_first_of("0123456789");
        if (digit == std::string::npos) break;
        id = part.substr(digit);
      } else if (!part.empty() && part.find_first_not_of("0123456789") == std::string::npos) {
        before.push_back(part);
      }
    }
    if (!id.empty()) jobs[cells[1]][id] = {std::max(1.0, std::atof(cells[3].c_str())), before};
  }
  Shape all{"Alibaba hour", {}, {}};
  for (const auto& [job, steps] : jobs) append(all, sorted(job, steps));
  return all;
}

/// The shape as a workflow of small scripts that pass numbers: `x` of a step depends on all before it, in order.
/// The workflow gives the numbers of the steps that no other waits for.
inline ir::Module moduleOf(const Shape& shape, const std::string& image = "alpine:3") {
  using namespace ir;
  Module m;
  const TypeId out = m.types.record({{"x", TypeTable::kInt}});
  std::map<std::size_t, TaskId> tasks;
  const auto task = [&](std::size_t inputs) {
    const auto known = tasks.find(inputs);
    if (known != tasks.end()) return known->second;
    TaskDef def;
    def.name = fmt::format("work-{}", inputs);
    def.run = RunKind::Sh;
    def.image = image;
    def.script = "x=$(( 0 ";
    def.result = out;
    def.exprs = m.addRegion();
    for (std::size_t i = 0; i < inputs; ++i) {
      const std::string name = fmt::format("a{}", i);
      def.params.push_back({name, TypeTable::kInt, {}, {}, {}, {}});
      m.addParam(def.exprs, TypeTable::kInt, name, {}, Phase::Run);
      def.script += fmt::format("+ {} * a{} ", 2 * i + 3, i);
    }
    const std::string own = "n";
    def.params.push_back({own, TypeTable::kInt, {}, {}, {}, {}});
    m.addParam(def.exprs, TypeTable::kInt, own, {}, Phase::Run);
    def.script += "+ n ))\nx=$(( x % 10007 ))\n";
    OutputDef output;
    output.name = "x";
    output.type = TypeTable::kInt;
    def.outputs.push_back(output);
    m.tasks.push_back(def);
    return tasks[inputs] = TaskId{m.tasks.size() - 1};
  };
  // Many inputs are added up in groups: as many as 16 at a time.
  FuncDef func;
  func.name = "main";
  func.body = m.addRegion();
  std::vector<NodeId> made, fields;
  std::vector<bool> used(shape.size(), false);
  const NameId x = m.intern("x");
  std::uint32_t count = 0;
  const auto step = [&](std::vector<NodeId> inputs, double seconds) {
    const TaskId of = task(inputs.size());
    inputs.push_back(m.addConst(func.body, Value(std::int64_t{count}), TypeTable::kInt));
    const NodeId node = m.add(func.body, Step{of}, out, inputs, {}, {},
                              m.addName(fmt::format("step-{}", count)));
    ++count;
    m.costs[node] = {seconds, 8, false, false};
    return m.add(func.body, Field{x}, TypeTable::kInt, {&node, 1});
  };
  for (std::size_t i = 0; i < shape.size(); ++i) {
    std::vector<NodeId> inputs;
    for (const std::uint32_t before : shape.before[i]) {
      inputs.push_back(fields[before]);
      used[before] = true;
    }
    while (inputs.size() > 16) {
      std::vector<NodeId> fewer;
      for (std::size_t at = 0; at < inputs.size(); at += 16) {
        const auto end = inputs.begin() + static_cast<std::ptrdiff_t>(std::min(at + 16, inputs.size()));
        fewer.push_back(step({inputs.begin() + static_cast<std::ptrdiff_t>(at), end}, 0.01));
      }
      inputs = std::move(fewer);
    }
    fields.push_back(step(std::move(inputs), shape.seconds[i]));
  }
  std::vector<TypeField> results;
  std::vector<NodeId> values;
  for (std::size_t i = 0; i < shape.size() && values.size() < 50; ++i) {
    if (used[shape.size() - 1 - i]) continue;
    results.push_back({fmt::format("out{}", values.size()), TypeTable::kInt});
    values.push_back(fields[shape.size() - 1 - i]);
  }
  func.result = m.types.record(std::move(results));
  m.at(func.body).results = {m.add(func.body, Op{Builtin::MakeRecord}, func.result, values)};
  m.funcs.push_back(func);
  m.entry = FuncId{0U};
  return m;
}

}  // namespace couler::testing
