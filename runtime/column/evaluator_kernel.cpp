// The kernel that asks the evaluator of ir/ for every row.
#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "runtime/column/kernel.h"
#include "support/text.h"

namespace couler::column {

namespace {

/// What a value in a message takes of a line at most, in code points.
constexpr std::size_t kShown = 40;

std::string shown(const ir::Value& value) {
  if (value.isNone()) return "none";
  const auto* text = value.as<std::string>();
  return shortened(text != nullptr ? jsonQuote(*text) : ir::toText(value), kShown);
}

/// " (a = 3, b = 0)": the columns that the node at `at` depends on, and what the row has there.
std::string valuesAt(const ir::Module& module, ir::RegionId body, Span at, const ir::Value& row) {
  if (!at.valid()) return {};
  std::vector<ir::RegionId> regions{body};
  std::vector<ir::NodeId> left;
  for (std::size_t i = 0; i < regions.size(); ++i) {
    for (const ir::NodeId id : module.at(regions[i]).nodes) {
      if (module.at(id).span == at && left.empty()) left.push_back(id);
      for (const ir::RegionId inner : module.regionsOf(module.at(id))) regions.push_back(inner);
    }
  }
  std::string text;
  std::vector<ir::NodeId> seen;
  constexpr std::size_t kMost = 64;
  for (std::size_t i = 0; i < left.size() && i < kMost; ++i) {
    const ir::Node& node = module.at(left[i]);
    if (const auto* field = std::get_if<ir::Field>(&node.payload)) {
      const std::string_view name = module.at(field->name);
      const ir::Value* value = row.field(name);
      const bool known = std::any_of(seen.begin(), seen.end(), [&](ir::NodeId other) {
        return module.payload<ir::Field>(other)->name == field->name;
      });
      if (value == nullptr || known) continue;
      seen.push_back(left[i]);
      text += fmt::format("{}{} = {}", text.empty() ? " (" : ", ", name, shown(*value));
      continue;
    }
    for (const ir::NodeId operand : module.operands(node)) left.push_back(operand);
    for (const ir::RegionId inner : module.regionsOf(node)) {
      for (const ir::NodeId result : module.at(inner).results) left.push_back(result);
    }
  }
  return text.empty() ? text : text + ')';
}

class EvaluatorKernel final : public Kernel {
 public:
  explicit EvaluatorKernel(RowPlan plan) : plan_(std::move(plan)), evaluator_(*plan_.module) {
    for (auto& [node, value] : plan_.outer) outer_.emplace(node, ir::EvalResult(value));
  }

  bool run(const Batch& in, Batch& out, RowError& error) override {
    std::vector<ir::Value> rows;
    appendRows(plan_.input, in, rows);
    std::vector<ir::Value> made;
    std::vector<std::int64_t> ids;
    for (std::int64_t i = 0; i < in.rows; ++i) {
      const std::int64_t id =
          in.rowIds.empty() ? in.firstRow + i : in.rowIds[static_cast<std::size_t>(i)];
      ir::Value row = std::move(rows[static_cast<std::size_t>(i)]);
      bool kept = true;
      if (!pass(row, kept, error) || (kept && !finish(std::move(row), made, error))) {
        error.row = id;
        return false;
      }
      if (kept) ids.push_back(id);
    }
    out = batchOf(plan_.output, made);
    out.firstRow = ids.empty() ? in.firstRow : ids.front();
    const bool dense = ids.size() == static_cast<std::size_t>(in.rows) && in.rowIds.empty();
    if (!dense) out.rowIds = std::move(ids);
    return true;
  }

 private:
  std::vector<ir::EvalResult> evaluate(ir::RegionId body, std::span<const ir::Value> params) {
    return evaluator_.evaluate(body, params, [this](ir::NodeId id) -> const ir::EvalResult* {
      const auto found = outer_.find(id);
      return found == outer_.end() ? nullptr : &found->second;
    });
  }

  bool failed(const ir::EvalResult& result, ir::RegionId body, const ir::Value& row,
              RowError& error) const {
    const ir::EvalError* found = std::get_if<ir::EvalError>(&result);
    if (found == nullptr) return false;
    error.message = found->message + valuesAt(*plan_.module, body, found->at, row);
    error.at = found->at;
    error.where = operatorOf(body);
    return true;
  }

  [[nodiscard]] std::string operatorOf(ir::RegionId body) const {
    const ir::NodeId owner = plan_.module->at(body).owner;
    const ir::NameId name = owner.valid() ? plan_.module->at(owner).name : ir::NameId{};
    return name.valid() ? std::string(plan_.module->at(name)) : std::string();
  }

  bool pass(ir::Value& row, bool& kept, RowError& error) {
    for (const ir::NodeId stage : plan_.stages) {
      const ir::Rows& rows = *plan_.module->payload<ir::Rows>(stage);
      const std::vector<ir::EvalResult> results = evaluate(rows.body, {&row, 1});
      if (failed(results[0], rows.body, row, error)) return false;
      const ir::Value& value = std::get<ir::Value>(results[0]);
      if (rows.op == ir::RowsOp::Map) {
        row = value;
        continue;
      }
      const bool* truth = value.as<bool>();
      kept = truth != nullptr && *truth;
      if (!kept) return true;
    }
    return true;
  }

  bool finish(ir::Value row, std::vector<ir::Value>& made, RowError& error) {
    if (!plan_.results.valid()) {
      made.push_back(std::move(row));
      return true;
    }
    const std::size_t params = plan_.module->at(plan_.results).params.size();
    std::vector<ir::Value> given(params);
    given[plan_.rowParam] = std::move(row);
    const std::vector<ir::EvalResult> results = evaluate(plan_.results, given);
    ir::NamedItems fields;
    for (std::uint32_t i = 0; i < plan_.resultCount; ++i) {
      const ir::EvalResult& result = results[plan_.firstResult + i];
      if (failed(result, plan_.results, given[plan_.rowParam], error)) return false;
      fields.emplace_back(plan_.output.fields[i].name, std::get<ir::Value>(result));
    }
    made.push_back(ir::Value::record(std::move(fields)));
    return true;
  }

  RowPlan plan_;
  ir::BodyEvaluator evaluator_;
  std::unordered_map<ir::NodeId, ir::EvalResult> outer_;
};

/// Notes the columns of a body's row parameter that are read by name; all of them where the row is
/// used as a whole.
class Uses {
 public:
  Uses(const ir::Module& module, std::size_t fields) : module_(module), used_(fields, false) {}

  /// False when the row as a whole escapes.
  void body(ir::RegionId region, std::uint32_t param, const Schema& row,
            std::span<const ir::NodeId> results) {
    const ir::Region& r = module_.at(region);
    if (param >= r.params.size()) return;
    const ir::NodeId self = r.params[param];
    std::vector<ir::RegionId> inside{region};
    for (std::size_t i = 0; i < inside.size(); ++i) {
      for (const ir::NodeId id : module_.at(inside[i]).nodes) {
        const ir::Node& node = module_.at(id);
        for (const ir::RegionId owned : module_.regionsOf(node)) inside.push_back(owned);
        for (const ir::NodeId operand : module_.operands(node)) {
          if (operand == self) use(module_.payload<ir::Field>(id), row);
        }
      }
      const std::vector<ir::NodeId>& given = module_.at(inside[i]).results;
      for (const ir::NodeId id : i == 0 ? results : std::span<const ir::NodeId>(given)) {
        if (id == self) use(nullptr, row);
      }
    }
  }
  void all() { used_.assign(used_.size(), true); }
  [[nodiscard]] std::vector<bool> take() { return std::move(used_); }

 private:
  void use(const ir::Field* field, const Schema& row) {
    const int at = field == nullptr ? -1 : row.find(module_.at(field->name));
    if (at < 0) return all();
    used_[static_cast<std::size_t>(at)] = true;
  }

  const ir::Module& module_;
  std::vector<bool> used_;
};

}  // namespace

StreamError rowError(std::string_view where, std::int64_t row, const RowError& error) {
  if (!error.where.empty()) where = error.where;
  return {fmt::format("{}, row {}: {}", where, row + 1, error.message), error.at};
}

std::unique_ptr<Kernel> evaluatorKernel(RowPlan plan) {
  return std::make_unique<EvaluatorKernel>(std::move(plan));
}

std::vector<bool> columnsUsed(const RowPlan& plan, std::vector<bool> wanted) {
  Uses uses(*plan.module, plan.input.fields.size());
  for (const ir::NodeId stage : plan.stages) {
    const ir::Rows& rows = *plan.module->payload<ir::Rows>(stage);
    uses.body(rows.body, 0, plan.input, plan.module->at(rows.body).results);
    if (rows.op == ir::RowsOp::Map) return uses.take();  // what follows sees the map's rows only
  }
  if (!plan.results.valid()) {
    if (wanted.empty()) uses.all();
    std::vector<bool> used = uses.take();
    for (std::size_t i = 0; i < wanted.size(); ++i) used[i] = used[i] || wanted[i];
    return used;
  }
  const std::vector<ir::NodeId>& results = plan.module->at(plan.results).results;
  uses.body(plan.results, plan.rowParam, plan.input,
            std::span(results).subspan(plan.firstResult, plan.resultCount));
  return uses.take();
}

}  // namespace couler::column
