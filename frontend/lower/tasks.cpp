// Tasks: what runs, its environment, outputs and settings.
#include <algorithm>
#include <limits>

#include "frontend/lower/lowerer.h"

namespace couler::lower {

using namespace syntax;

namespace {

std::string plainText(const Expr& expr) {
  if (expr.kind == ExprKind::RawString) {
    return std::string(static_cast<const RawStringExpr&>(expr).text);
  }
  std::string text;
  if (expr.kind != ExprKind::String) return text;
  for (const StringPart& part : static_cast<const StringExpr&>(expr).parts) text += part.text;
  return text;
}

ir::RunKind runKind(RunKind kind) {
  switch (kind) {
    case RunKind::Sh:
      return ir::RunKind::Sh;
    case RunKind::Python:
      return ir::RunKind::Python;
    case RunKind::Argv:
    case RunKind::None:
      break;
  }
  return ir::RunKind::Argv;
}

ir::FailureClass failureClass(std::string_view word) {
  if (word == "oom") return ir::FailureClass::Oom;
  if (word == "timeout") return ir::FailureClass::Timeout;
  if (word == "exit") return ir::FailureClass::Exit;
  return ir::FailureClass::Transient;
}

}  // namespace

void Lowerer::lowerTask(ir::TaskId id) {
  const sema::Symbol& symbol = program_.at(taskSymbols_[id.index()]);
  const auto& decl = static_cast<const TaskDecl&>(*symbol.decl);
  file_ = symbol.file;
  // Built apart: a constant may add tasks and functions meanwhile.
  ir::TaskDef task = m_.at(id);
  task.params = params(symbol.signature->params);
  task.run = runKind(decl.run);
  lowerOutputs(task, symbol.signature->outputs);
  task.exprs = m_.addRegion();
  addParams(task.exprs, symbol.signature->params);
  for (std::size_t i = 0; i < task.outputs.size(); ++i) {
    if (task.outputs[i].from != ir::OutputFrom::Path) continue;
    const sema::FieldInfo& field = symbol.signature->outputs[i];
    values_[field.symbol] = m_.addParam(task.exprs, ir::TypeTable::kString, field.name,
                                        field.syntax->name.span, ir::Phase::Run);
  }
  inRegion(task.exprs, [&] { lowerCommand(task, decl); });
  if (task.run != ir::RunKind::Argv) task.script = plainText(*decl.runBody);
  task.image = setting<std::string>(decl.image, ir::TypeTable::kString, {});
  checkSetting(decl.image, !task.image.empty(), "image", "must not be empty");
  task.cache = setting<bool>(decl.cache, ir::TypeTable::kBool, true);
  lowerSettings(task, decl);
  m_.at(id) = std::move(task);
}

void Lowerer::lowerOutputs(ir::TaskDef& task, const std::vector<sema::FieldInfo>& outputs) const {
  for (const sema::FieldInfo& field : outputs) {
    ir::OutputDef& output = task.outputs.emplace_back();
    output.name = field.name;
    output.type = field.type;
    output.doc = field.syntax->doc;
    output.span = field.syntax->span;
    const Expr* value = field.syntax->value;
    const bool isPath = kind(field.type) == IrKind::File || kind(field.type) == IrKind::Dir;
    if (isPath) {
      output.from = ir::OutputFrom::Path;
      output.path = value != nullptr ? plainText(*value) : output.name;
    } else if (value == nullptr) {
      output.from = ir::OutputFrom::Variable;
    } else if (value->kind == ExprKind::Name) {
      output.from = ir::OutputFrom::Stdout;
    } else {
      output.from = ir::OutputFrom::File;
      output.path = plainText(*value);
    }
  }
}

void Lowerer::lowerCommand(ir::TaskDef& task, const TaskDecl& decl) {
  std::vector<NodeId> results;
  const auto add = [&](NodeId node) {
    results.push_back(node);
    return static_cast<std::uint32_t>(results.size() - 1);
  };
  if (task.run == ir::RunKind::Argv && decl.runBody->kind == ExprKind::List) {
    for (const ListItem& item : static_cast<const ListExpr*>(decl.runBody)->items) {
      const NodeId value = lower(*item.value);
      task.argv.push_back(
          {add(item.spread ? value : asText(value, item.value->span)), item.spread});
    }
  }
  for (const Setting& setting : decl.env) {
    const NodeId value = lower(*setting.value);
    // A secret stays one: the engine alone turns it into text.
    const bool secret = kind(typeOf(value)) == IrKind::Secret;
    task.env.push_back(
        {std::string(setting.key.text), add(secret ? value : asText(value, setting.value->span))});
  }
  m_.at(task.exprs).results = std::move(results);
}

template <class T>
T Lowerer::setting(const Expr* expr, TypeId type, T absent) {
  if (expr == nullptr) return absent;
  const std::optional<ir::Value> value = constant(file_, *expr, type);
  const T* found = value ? value->as<T>() : nullptr;
  return found != nullptr ? *found : absent;
}

/// The checker has looked at literals; this is for values that had to be worked out.
void Lowerer::checkSetting(const Expr* at, bool ok, std::string_view what, std::string_view must) {
  if (at != nullptr && !ok) diags_.take(diagnose<Diag::ConstantRange>(at->span, what, must));
}

void Lowerer::lowerSettings(ir::TaskDef& task, const StepSettings& step) {
  using ir::TypeTable;
  task.timeout = setting<ir::Duration>(step.timeout, TypeTable::kDuration, {});
  checkSetting(step.timeout, task.timeout.micros > 0, "timeout", "must be above zero");
  lowerRetry(task, step);
  for (const Setting& one : step.resources) {
    const std::string_view key = one.key.text;
    bool ok = true;
    if (key == "cpu") {
      task.cpu = setting<double>(one.value, TypeTable::kFloat, 1.0);
      ok = task.cpu > 0 && task.cpu < 1e6;
    } else if (key == "gpu") {
      task.gpu = setting<std::int64_t>(one.value, TypeTable::kInt, 0);
      ok = task.gpu >= 0;
    } else {
      std::int64_t& bytes = key == "memory" ? task.memory : task.disk;
      bytes = setting<ir::Size>(one.value, TypeTable::kSize, {}).bytes;
      ok = bytes > 0;
    }
    checkSetting(one.value, ok, key,
                 key == "gpu" ? "must not be below zero" : "must be above zero");
  }
}

void Lowerer::lowerRetry(ir::TaskDef& task, const StepSettings& step) {
  using ir::TypeTable;
  ir::RetryPolicy& retry = task.retry;
  retry.limit = setting<std::int64_t>(step.retryCount, TypeTable::kInt, 0);
  checkSetting(step.retryCount, retry.limit >= 0, "retry", "must not be below zero");
  for (const Setting& one : step.retry) {
    const std::string_view key = one.key.text;
    if (key == "backoff" || key == "max_backoff") {
      ir::Duration& pause = key == "backoff" ? retry.backoff : retry.maxBackoff;
      pause = setting<ir::Duration>(one.value, TypeTable::kDuration, {});
      checkSetting(one.value, pause.micros >= 0, key, "must not be below zero");
    } else if (key == "factor") {
      retry.factor = setting<double>(one.value, TypeTable::kFloat, 2.0);
      checkSetting(one.value, retry.factor >= 1 && retry.factor < 1e6, key, "must be at least 1");
    } else if (key == "on" && one.value->kind == ExprKind::List) {
      for (const ListItem& item : static_cast<const ListExpr*>(one.value)->items) {
        const ir::FailureClass found =
            failureClass(static_cast<const NameExpr*>(item.value)->name.text);
        if (std::find(retry.on.begin(), retry.on.end(), found) == retry.on.end()) {
          retry.on.push_back(found);
        }
      }
    } else if (key == "exit_codes") {
      const std::optional<ir::Value> codes =
          constant(file_, *one.value, m_.types.list(TypeTable::kInt));
      if (!codes || codes->as<ir::ListValue>() == nullptr) continue;
      for (const ir::Value& code : codes->items()) {
        if (const std::int64_t* number = code.as<std::int64_t>())
          retry.exitCodes.push_back(*number);
      }
      const bool ok = std::all_of(retry.exitCodes.begin(), retry.exitCodes.end(),
                                  [](std::int64_t code) { return code >= 1 && code <= 255; });
      checkSetting(one.value, ok, key, "must be exit codes, 1 to 255");
    }
  }
}

}  // namespace couler::lower
