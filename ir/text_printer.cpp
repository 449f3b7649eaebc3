#include "ir/text_printer.h"

#include <array>
#include <charconv>
#include <cmath>

#include "ir/print.h"
#include "ir/text_lexer.h"
#include "ir/text_words.h"

namespace couler::ir::text {

void Printer::name(std::string_view text) {
  if (isWord(text)) {
    out_ += text;
  } else {
    appendQuoted(out_, text);
  }
}

void Printer::number(std::int64_t value) { out_ += std::to_string(value); }

void Printer::number(double value) {
  if (std::isnan(value)) {
    out_ += "nan";
  } else if (std::isinf(value)) {
    out_ += value > 0 ? "inf" : "neg_inf";
  } else {
    std::array<char, 40> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
    const std::string_view digits(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
    out_ += digits;
    if (digits.find_first_of(".e") == std::string_view::npos) out_ += ".0";
  }
}

void Printer::indent(std::size_t depth) { out_.append(2 * depth, ' '); }

void Printer::keyword(std::size_t depth, std::string_view word) {
  indent(depth);
  out_ += word;
}

void Printer::quotedLine(std::size_t depth, std::string_view word, std::string_view content) {
  if (content.empty()) return;
  keyword(depth, word);
  out_ += ' ';
  appendQuoted(out_, content);
  out_ += '\n';
}

void Printer::numberLine(std::string_view word, std::int64_t value, std::int64_t usual) {
  if (value == usual) return;
  keyword(1, word);
  out_ += ' ';
  number(value);
  out_ += '\n';
}

std::string Printer::run() {
  for (const TaskDef& task : module_.tasks) printTask(task);
  for (const FuncDef& func : module_.funcs) printFunc(func);
  for (const TargetDef& target : module_.targets) printTarget(target);
  for (const TestDef& test : module_.tests) {
    out_ += "\ntest ";
    appendQuoted(out_, test.title);
    out_ += ' ';
    printRegion(test.body, 0);
    out_ += '\n';
  }
  if (module_.entry.index() < module_.funcs.size()) {
    out_ += "\nentry ";
    name(module_.at(module_.entry).name);
    out_ += '\n';
  }
  return finish();
}

std::string Printer::runTask(const TaskDef& task) {
  bare_ = true;
  printTask(task);
  return finish();
}

/// The header and the types come first, though they are known last.
std::string Printer::finish() {
  std::string head(kHeader);
  head += ' ' + std::to_string(kVersion) + '\n';
  if (!nominals_.empty()) head += '\n' + nominals_;
  return head + out_;
}

void Printer::doc(std::string_view content) {
  if (content.empty() || bare_) return;
  out_ += " doc ";
  appendQuoted(out_, content);
}

void Printer::printParams(const std::vector<ParamDef>& params) {
  for (const ParamDef& param : params) {
    keyword(1, "param ");
    name(param.name);
    out_ += ": ";
    out_ += type(param.type);
    if (param.unkeyed) out_ += " unkeyed";
    if (param.fallback.valid()) {
      out_ += " = ";
      constant(param.fallback);
    }
    doc(param.doc);
    out_ += '\n';
  }
}

void Printer::resultLine(TypeId id) {
  keyword(1, "result ");
  out_ += type(id);
  out_ += '\n';
}

void Printer::printOutput(const OutputDef& output) {
  keyword(1, "output ");
  name(output.name);
  out_ += ": ";
  out_ += type(output.type);
  out_ += ' ';
  out_ += kOutputs[static_cast<std::size_t>(output.from)];
  if (!output.path.empty()) {
    out_ += ' ';
    appendQuoted(out_, output.path);
  }
  doc(output.doc);
  out_ += '\n';
}

/// One quoted line a line of the script, so that it can be read.
void Printer::printScript(const std::string& script) {
  for (std::size_t begin = 0; begin < script.size();) {
    const std::size_t newline = script.find('\n', begin);
    const std::size_t end = newline == std::string::npos ? script.size() : newline + 1;
    out_ += '\n';
    indent(2);
    appendQuoted(out_, std::string_view(script).substr(begin, end - begin));
    begin = end;
  }
}

void Printer::printRetry(const RetryPolicy& retry) {
  if (retry.limit == 0 && retry.backoff == Duration{} && retry.factor == 2 &&
      retry.maxBackoff == Duration{} && retry.on.empty() && retry.exitCodes.empty()) {
    return;
  }
  keyword(1, "retry ");
  number(retry.limit);
  out_ += " backoff ";
  number(retry.backoff.micros);
  out_ += " factor ";
  number(retry.factor);
  out_ += " max_backoff ";
  number(retry.maxBackoff.micros);
  if (!retry.on.empty()) {
    out_ += " on [";
    for (std::size_t i = 0; i < retry.on.size(); ++i) {
      if (i != 0) out_ += ", ";
      out_ += kFailures[static_cast<std::size_t>(retry.on[i])];
    }
    out_ += ']';
  }
  if (!retry.exitCodes.empty()) {
    out_ += " exit_codes [";
    for (std::size_t i = 0; i < retry.exitCodes.size(); ++i) {
      if (i != 0) out_ += ", ";
      number(retry.exitCodes[i]);
    }
    out_ += ']';
  }
  out_ += '\n';
}

void Printer::printSettings(const TaskDef& task) {
  if (task.cpu != 1) {
    keyword(1, "cpu ");
    number(task.cpu);
    out_ += '\n';
  }
  numberLine("memory", task.memory, 0);
  numberLine("gpu", task.gpu, 0);
  numberLine("disk", task.disk, 0);
  numberLine("timeout", task.timeout.micros, 0);
  printRetry(task.retry);
}

void Printer::printTask(const TaskDef& task) {
  out_ += "\ntask ";
  name(task.name);
  out_ += " {\n";
  if (!bare_) quotedLine(1, "doc", task.doc);
  printParams(task.params);
  for (const OutputDef& output : task.outputs) printOutput(output);
  resultLine(task.result);
  if (task.isVolatile) out_ += "  volatile\n";
  if (!task.cache) out_ += "  cache false\n";
  quotedLine(1, "image", task.image);
  if (!bare_) printSettings(task);
  regionLine("exprs", task.exprs);
  for (const TaskDef::Env& env : task.env) {
    keyword(1, "env ");
    name(env.name);
    out_ += ' ' + std::to_string(env.result) + '\n';
  }
  keyword(1, "run ");
  out_ += kRuns[static_cast<std::size_t>(task.run)];
  for (const TaskDef::Word& word : task.argv) {
    if (word.unkeyed) out_ += " unkeyed";
    out_ += word.spread ? " spread " : " ";
    out_ += std::to_string(word.result);
  }
  printScript(task.script);
  out_ += "\n}\n";
}

void Printer::printFunc(const FuncDef& func) {
  out_ += func.kind == FuncKind::Fn ? "\nfn " : "\nworkflow ";
  name(func.name);
  if (func.outlined == Outlined::Part) out_ += " part";
  if (func.outlined == Outlined::Group) out_ += " group";
  out_ += " {\n";
  quotedLine(1, "doc", func.doc);
  printParams(func.params);
  resultLine(func.result);
  regionLine("body", func.body);
  regionLine("finally", func.finally);
  out_ += "}\n";
}

void Printer::printTarget(const TargetDef& target) {
  out_ += "\ntarget ";
  name(target.name);
  out_ += " = ";
  name(target.engine);
  out_ += " {\n";
  for (const auto& [key, setting] : target.settings) {
    indent(1);
    name(key);
    out_ += ": ";
    constant(setting);
    out_ += '\n';
  }
  out_ += "}\n";
}

}  // namespace couler::ir::text

namespace couler::ir {

std::string print(const Module& module) { return text::Printer(module).run(); }

std::string printTask(const Module& module, TaskId task, std::vector<NodeId>* nodes) {
  text::Printer printer(module);
  std::string text = printer.runTask(module.at(task));
  if (nodes != nullptr) *nodes = printer.takeNodes();
  return text;
}

}  // namespace couler::ir
