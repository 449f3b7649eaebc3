// Tasks: settings, environment, outputs, command or script.
#include <algorithm>
#include <array>

#include "frontend/sema/checker.h"
#include "support/text.h"

namespace couler::sema {

using namespace syntax;
using IrKind = ir::TypeKind;

namespace {

constexpr std::array<std::string_view, 35> kPythonWords{
    "False", "None",     "True",  "and",    "as",   "assert", "async",  "await",    "break",
    "class", "continue", "def",   "del",    "elif", "else",   "except", "finally",  "for",
    "from",  "global",   "if",    "import", "in",   "is",     "lambda", "nonlocal", "not",
    "or",    "pass",     "raise", "return", "try",  "while",  "with",   "yield"};
/// Variables that the shell itself lives by.
constexpr std::array<std::string_view, 13> kShellWords{"CDPATH", "ENV",    "HOME", "IFS",  "MAIL",
                                                       "OLDPWD", "OPTIND", "PATH", "PPID", "PS1",
                                                       "PS2",    "PS4",    "PWD"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// The text of a literal without interpolation.
std::optional<std::string_view> literalText(const Expr* expr) {
  if (expr->kind == ExprKind::RawString) return static_cast<const RawStringExpr*>(expr)->text;
  if (expr->kind != ExprKind::String) return std::nullopt;
  const auto parts = static_cast<const StringExpr*>(expr)->parts;
  if (parts.empty()) return std::string_view{};
  if (parts.size() != 1 || parts[0].expr != nullptr) return std::nullopt;
  return parts[0].text;
}

bool isPath(IrKind kind) {
  return kind == IrKind::File || kind == IrKind::Dir || kind == IrKind::Table;
}

bool isStdout(const Expr* expr) {
  return expr->kind == ExprKind::Name && static_cast<const NameExpr*>(expr)->name.text == "stdout";
}

}  // namespace

void Checker::checkTask(SymbolId symbol) {
  const auto& task = *static_cast<const TaskDecl*>(program_->at(symbol).decl);
  owner_ = symbol;
  pushScope();
  bindParams(symbol);
  for (const FieldInfo& output : program_->at(symbol).signature->outputs) {
    bindLocal(output.symbol);
  }
  checkTaskSettings(task);
  checkEnv(task);
  checkOutputs(symbol, task);
  checkRun(task);
  checkScriptNames(symbol, task);
  popScope();
}

void Checker::checkTaskSettings(const TaskDecl& task) {
  place_ = Place::Attribute;
  if (task.image != nullptr) checkConstant(task.image, TypeTable::kString, "`image`");
  if (task.cache != nullptr) checkConstant(task.cache, TypeTable::kBool, "`cache`");
  checkStepSettings(task, false);
}

void Checker::checkStepSettings(const StepSettings& step, bool overTables) {
  place_ = Place::Attribute;
  if (step.timeout != nullptr) {
    checkSetting(step.timeout, {"timeout", SettingType::Duration, "", true});
  }
  if (step.retryCount != nullptr) checkSetting(step.retryCount, {"retry", SettingType::Int, ""});
  std::vector<const Name*> seen;
  for (const Setting& setting : step.resources) {
    const SettingSpec* spec = checkKey(setting.key, "resource", resourceSettings(), seen);
    if (spec != nullptr) checkSetting(setting.value, *spec);
    if (overTables && spec != nullptr && spec->name == "gpu") {
      report(diagnose<Diag::SettingValue>(setting.key.span, spec->name,
                                          "nothing that a transform uses")
                 .note("a transform may take `cpu`, `memory` and `disk`"));
    }
  }
  seen.clear();
  for (const Setting& setting : step.retry) {
    const SettingSpec* spec = checkKey(setting.key, "setting of `retry`", retrySettings(), seen);
    if (spec != nullptr) checkSetting(setting.value, *spec);
  }
}

void Checker::checkEnv(const TaskDecl& task) {
  place_ = Place::Env;
  std::vector<const Name*> seen;
  for (const Setting& setting : task.env) {
    const std::string_view name = setting.key.text;
    const auto same = std::find_if(seen.begin(), seen.end(),
                                   [&](const Name* other) { return other->text == name; });
    if (same != seen.end()) {
      report(diagnose<Diag::RepeatedArgument>(setting.key.span, name)
                 .label((*same)->span, "first given here"));
    } else {
      seen.push_back(&setting.key);
    }
    if (name.starts_with("COULER_")) {
      report(diagnose<Diag::EnvName>(setting.key.span, name,
                                     "begins with `COULER_`, which the engine keeps for itself"));
    } else if (task.run == RunKind::Sh) {
      const SymbolId variable = findLocal(name);
      if (variable.valid() && program_->at(variable).type != TypeTable::kSecret) {
        report(diagnose<Diag::EnvName>(setting.key.span, name,
                                       fmt::format("is the {} of that name in a shell script",
                                                   kindWord(program_->at(variable).kind)))
                   .label(program_->at(variable).declared, "declared here"));
      }
    }
    secretAllowed_ = true;
    const TypeId type = check(setting.value);
    secretAllowed_ = false;
    const IrKind kind = types().kind(type);
    if (!textable(type) && !isPath(kind) && kind != IrKind::Secret) {
      Diagnostic diagnostic = diagnose<Diag::NoText>(setting.value->span, print(type));
      if (kind == IrKind::Optional) {
        diagnostic.note("it may be none: give a default, as in `x ?? \"\"`");
      } else if (kind == IrKind::List) {
        diagnostic.note("join its items, as in `join(xs, \",\")`");
      }
      report(std::move(diagnostic));
    }
  }
}

void Checker::checkOutputs(SymbolId symbol, const TaskDecl& task) {
  std::unordered_map<std::string_view, const FieldInfo*> files;
  for (const FieldInfo& output : program_->at(symbol).signature->outputs) {
    checkOutput(task, output);
    std::string_view name;
    if (output.syntax->value != nullptr) {
      if (const auto written = literalText(output.syntax->value)) name = *written;
    } else if (isPath(types().kind(output.type))) {
      name = output.name;
    }
    if (name.empty()) continue;
    const auto [it, isNew] = files.try_emplace(name, &output);
    if (!isNew) {
      report(diagnose<Diag::RepeatedOutputFile>(output.syntax->span, it->second->name, output.name)
                 .label(it->second->syntax->span, fmt::format("`{}` already", name)));
    }
  }
}

std::optional<std::string_view> Checker::outputFileName(const FieldInfo& output) {
  const Expr* value = output.syntax->value;
  const auto name = literalText(value);
  if (!name) {
    report(diagnose<Diag::OutputSource>(value->span, output.name, print(output.type),
                                        "a computed name")
               .note("write the name of the file: `= \"name.ext\"`"));
    return std::nullopt;
  }
  const bool proper = !name->empty() && name->find('/') == std::string_view::npos &&
                      name->find('\0') == std::string_view::npos && *name != "." && *name != ".." &&
                      name->size() < 256 && !name->starts_with('-');
  if (!proper) {
    report(diagnose<Diag::OutputFileName>(value->span, fmt::format("\"{}\"", *name)));
    return std::nullopt;
  }
  return name;
}

void Checker::checkOutput(const TaskDecl& task, const FieldInfo& output) {
  const Expr* value = output.syntax->value;
  if (value != nullptr) set(*value, TypeTable::kString, Phase::Compile);
  if (isError(output.type)) return;
  if (!isPath(types().kind(output.type))) return checkScalarOutput(task, output);
  if (value == nullptr) return;
  if (isStdout(value)) {
    report(diagnose<Diag::OutputSource>(value->span, output.name, print(output.type),
                                        "standard output")
               .note("write it to the path that the step is told, as in `run sh` with "
                     "`> \"$name\"`"));
    return;
  }
  outputFileName(output);
}

void Checker::checkScalarOutput(const TaskDecl& task, const FieldInfo& output) {
  const Expr* value = output.syntax->value;
  const ir::Type& type = types()[output.type];
  const TypeId plain = type.kind == IrKind::Optional ? type.element : output.type;
  if (types().holds(output.type, IrKind::File) || types().holds(output.type, IrKind::Dir)) {
    report(
        diagnose<Diag::OutputSource>(output.syntax->span, output.name, print(output.type), "a step")
            .note("an output is one file or one folder; for many files declare a `dir`"));
    return;
  }
  if (value != nullptr) {
    // Standard output or a file: text that is read as one value.
    if (value->kind == ExprKind::Name && !isStdout(value)) {
      unknownName("source of an output", static_cast<const NameExpr*>(value)->name, {"stdout"},
                  "an output comes from `stdout` or from a file, `= \"name.ext\"`");
      return;
    }
    if (!isStdout(value) && !outputFileName(output)) return;
    if (!textable(output.type)) {
      report(diagnose<Diag::OutputSource>(value->span, output.name, print(output.type),
                                          isStdout(value) ? "standard output" : "a text file")
                 .note("only a single value can be read from text; `run python` gives lists, maps "
                       "and records as variables"));
    }
    return;
  }
  if (task.run == RunKind::Argv) {
    report(diagnose<Diag::OutputWithoutSource>(output.syntax->name.span, output.name)
               .note("with a command write where it is found: `= stdout` or `= \"name.txt\"`"));
    return;
  }
  if (task.run == RunKind::Sh && !textable(output.type)) {
    const bool lines = types().kind(plain) == IrKind::List && plain == output.type &&
                       types()[plain].element == TypeTable::kString;
    if (!lines) {
      report(
          diagnose<Diag::OutputSource>(output.syntax->span, output.name, print(output.type),
                                       "a shell variable")
              .note("a shell variable gives one value or, for a `list<string>`, one item a line; "
                    "`run python` gives any"));
    }
  }
}

void Checker::checkWord(const Expr* value, TypeId type, bool spread) {
  const IrKind kind = types().kind(type);
  if (textable(type) || isPath(kind)) return;
  Diagnostic diagnostic = diagnose<Diag::CommandWord>(value->span, print(type));
  if (kind == IrKind::List && !spread) {
    const TypeId element = types()[type].element;
    if (textable(element) || isPath(types().kind(element))) {
      diagnostic.fix("spread it: one word an item",
                     Span{value->span.file, value->span.begin, value->span.begin}, "...");
    }
  } else if (kind == IrKind::Optional) {
    diagnostic.note("it may be none: give a default, as in `x ?? \"\"`");
  } else if (kind == IrKind::Map || kind == IrKind::Record || kind == IrKind::Schema) {
    diagnostic.note("pass it as JSON with `string(…)`");
  }
  report(std::move(diagnostic));
}

void Checker::checkRun(const TaskDecl& task) {
  if (task.run == RunKind::None || task.runBody == nullptr) {
    if (task.run == RunKind::None) {
      report(
          diagnose<Diag::TaskWithoutRun>(task.name.span, task.name.text)
              .note(
                  "say what it does: `run [\"program\", …]`, `run sh \"\"\"…\"\"\"` or `run python "
                  "\"\"\"…\"\"\"`"));
    }
    return;
  }
  place_ = Place::Command;
  if (task.run != RunKind::Argv) {
    set(*task.runBody, TypeTable::kString, Phase::Compile);
    if (task.runBody->kind == ExprKind::Error) return;
    if (!literalText(task.runBody)) {
      report(diagnose<Diag::ScriptInterpolation>(task.runBody->span)
                 .note("inputs and outputs are variables of the script"));
    }
    return;
  }
  if (task.runBody->kind != ExprKind::List) return;
  const auto& words = *static_cast<const ListExpr*>(task.runBody);
  if (words.items.empty()) report(diagnose<Diag::EmptyCommand>(words.span));
  Phase phase = Phase::Compile;
  for (const ListItem& word : words.items) {
    const std::string_view place = std::exchange(secretPlace_, "is a word of a command");
    const TypeId type = check(word.value);
    secretPlace_ = place;
    phase = std::max(phase, phaseOf(word.value));
    if (isError(type)) continue;
    if (!word.spread) {
      checkWord(word.value, type, false);
    } else if (types().kind(type) == IrKind::List) {
      checkWord(word.value, types()[type].element, true);
    } else {
      report(diagnose<Diag::SpreadNotList>(word.value->span, print(type)));
    }
  }
  set(words, types().list(TypeTable::kString), phase);
}

void Checker::checkScriptNames(SymbolId symbol, const TaskDecl& task) {
  if (task.run != RunKind::Sh && task.run != RunKind::Python) return;
  const Signature& signature = *program_->at(symbol).signature;
  for (const auto* list : {&signature.params, &signature.outputs}) {
    for (const FieldInfo& field : *list) {
      if (field.type == TypeTable::kSecret) continue;
      const bool python = task.run == RunKind::Python;
      if (python ? contains(kPythonWords, field.name) : contains(kShellWords, field.name)) {
        report(diagnose<Diag::ScriptName>(field.syntax->name.span, field.name,
                                          python ? "Python" : "shell")
                   .label(task.runSpan, "the script gets it as a variable")
                   .note(python ? "it is a keyword there" : "the shell itself uses it"));
      }
    }
  }
}

}  // namespace couler::sema
