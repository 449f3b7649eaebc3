#include "ir/text_parser.h"

#include <charconv>
#include <limits>

#include "ir/print.h"
#include "support/text.h"

namespace couler::ir::text {

// ---- tokens

void Parser::advance() {
  token_ = next_;
  next_ = lexer_.next();
}

bool Parser::atPunct(char c) const {
  return !failed_ && token_.kind == TokenKind::Punct && source_[token_.begin] == c;
}
bool Parser::atWord(std::string_view word) const {
  return !failed_ && token_.kind == TokenKind::Word && spelling() == word;
}
bool Parser::nextIsPunct(char c) const {
  return next_.kind == TokenKind::Punct && source_[next_.begin] == c;
}

bool Parser::acceptPunct(char c) {
  if (!atPunct(c)) return false;
  advance();
  return true;
}
bool Parser::acceptWord(std::string_view word) {
  if (!atWord(word)) return false;
  advance();
  return true;
}
void Parser::expectPunct(char c) {
  if (!acceptPunct(c)) expected(fmt::format("`{}`", c));
}
void Parser::expectWord(std::string_view word) {
  if (!acceptWord(word)) expected(fmt::format("`{}`", word));
}

void Parser::expected(std::string_view what) {
  if (failed_) return;
  failed_ = true;
  std::string found = "the end of the text";
  if (token_.kind != TokenKind::End) {
    constexpr std::size_t kShown = 40;
    std::string_view shown = spelling().substr(0, kShown);
    found = findInvalidUtf8(shown) ? "a byte that is not text" : fmt::format("`{}`", shown);
  }
  diags_.take(diagnose<Diag::IrSyntax>(here(), what, found));
}

void Parser::unknown(std::string_view kind, std::string_view name,
                     const std::vector<std::string_view>& candidates) {
  if (failed_) return;
  failed_ = true;
  Diagnostic diagnostic = diagnose<Diag::IrUnknown>(here(), kind, name);
  if (const auto near = nearest(name, candidates)) {
    diagnostic.note(fmt::format("did you mean `{}`?", *near));
  }
  diags_.take(std::move(diagnostic));
}

void Parser::duplicate(std::string_view kind, std::string_view name) {
  if (failed_) return;
  failed_ = true;
  diags_.take(diagnose<Diag::IrDuplicate>(here(), kind, name));
}

std::string Parser::takeName(std::string_view what) {
  if (failed_) return {};
  if (token_.kind == TokenKind::Word) {
    std::string name(spelling());
    advance();
    return name;
  }
  if (token_.kind == TokenKind::String) {
    if (auto content = unquote(spelling())) {
      advance();
      return *std::move(content);
    }
  }
  expected(what);
  return {};
}

std::string Parser::takeString(std::string_view what) {
  if (failed_ || token_.kind != TokenKind::String) {
    expected(what);
    return {};
  }
  std::string all;
  while (token_.kind == TokenKind::String) {
    auto part = unquote(spelling());
    if (!part) {
      expected(what);
      return {};
    }
    all += *part;
    advance();
  }
  return all;
}

template <class T>
std::optional<T> Parser::acceptNumber() {
  if (failed_ || token_.kind != TokenKind::Number) return std::nullopt;
  T value = 0;
  const std::string_view digits = spelling();
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  advance();
  return value;
}

std::int64_t Parser::takeInt(std::string_view what) {
  if (const auto value = acceptNumber<std::int64_t>()) return *value;
  expected(what);
  return 0;
}

std::uint32_t Parser::takeIndex(std::string_view what) {
  if (const auto value = acceptNumber<std::uint32_t>()) return *value;
  expected(what);
  return 0;
}

double Parser::takeFloat(std::string_view what) {
  if (const auto value = acceptNumber<double>()) return *value;
  if (acceptWord("nan")) return std::numeric_limits<double>::quiet_NaN();
  if (acceptWord("inf")) return std::numeric_limits<double>::infinity();
  if (acceptWord("neg_inf")) return -std::numeric_limits<double>::infinity();
  expected(what);
  return 0;
}

std::size_t Parser::takeChoice(std::string_view what, std::span<const std::string_view> words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (acceptWord(words[i])) return i;
  }
  expected(what);
  return 0;
}

// ---- definitions

/// Tasks and functions may be used above their definition, so their names come first.
void Parser::collectNames() {
  Lexer scan(source_);
  const auto isPunct = [&](const Token& token, std::string_view c) {
    return token.kind == TokenKind::Punct && scan.spelling(token) == c;
  };
  scan.next();  // `couler-ir 1`; anything else is an error that `run` reports
  scan.next();
  Token token = scan.next();
  while (token.kind != TokenKind::End) {
    const std::string_view word = scan.spelling(token);
    const bool isTask = word == "task";
    if (isTask || word == "fn" || word == "workflow") {
      token = scan.next();
      std::optional<std::string> name;
      if (token.kind == TokenKind::Word) name = scan.spelling(token);
      if (token.kind == TokenKind::String) name = unquote(scan.spelling(token));
      if (name && isTask) tasks_.emplace(*std::move(name), TaskId{tasks_.size()});
      if (name && !isTask) funcs_.emplace(*std::move(name), FuncId{funcs_.size()});
    } else if (word == "entry") {
      scan.next();
      token = scan.next();
      continue;
    }
    // To the end of the definition, whose braces match if the text is right at all.
    std::int64_t depth = 0;
    while (token.kind != TokenKind::End) {
      if (isPunct(token, "{")) ++depth;
      const bool last = isPunct(token, "}") && --depth <= 0;
      token = scan.next();
      if (last) break;
    }
  }
}

std::optional<Module> Parser::run() {
  collectNames();
  next_ = lexer_.next();
  advance();
  expectWord(kHeader);
  if (!failed_ && (token_.kind != TokenKind::Number || spelling() != "1")) {
    expected("the version `1`");
  }
  advance();
  while (!failed_ && token_.kind != TokenKind::End) parseDefinition();
  if (failed_) return std::nullopt;
  return std::move(module_);
}

void Parser::parseDefinition() {
  if (acceptWord("enum")) return parseNominal(TypeKind::Enum);
  if (acceptWord("schema")) return parseNominal(TypeKind::Schema);
  if (acceptWord("task")) return parseTask();
  if (acceptWord("fn")) return parseFunc(FuncKind::Fn);
  if (acceptWord("workflow")) return parseFunc(FuncKind::Workflow);
  if (acceptWord("target")) return parseTarget();
  if (acceptWord("test")) return parseTest();
  if (acceptWord("entry")) {
    const Span at = here();
    if (module_.entry.valid()) return duplicate("entry", spelling());
    const std::string name = takeName("a workflow's name");
    const auto found = funcs_.find(name);
    if (failed_) return;
    if (found == funcs_.end()) {
      failed_ = true;
      diags_.take(diagnose<Diag::IrUnknown>(at, "function", name));
      return;
    }
    module_.entry = found->second;
    return;
  }
  expected("`enum`, `schema`, `task`, `fn`, `workflow`, `target`, `test` or `entry`");
}

ParamDef Parser::parseParam() {
  ParamDef param;
  param.name = takeName("a parameter's name");
  expectPunct(':');
  param.type = parseType();
  param.unkeyed = acceptWord("unkeyed");
  if (acceptPunct('=')) param.fallback = module_.intern(parseValue());
  if (acceptWord("doc")) param.doc = takeString("text");
  return param;
}

OutputDef Parser::parseOutput() {
  OutputDef output;
  output.name = takeName("an output's name");
  expectPunct(':');
  output.type = parseType();
  output.from =
      static_cast<OutputFrom>(takeChoice("`variable`, `path`, `stdout` or `file`", kOutputs));
  if (!failed_ && token_.kind == TokenKind::String) output.path = takeString("a path");
  if (acceptWord("doc")) output.doc = takeString("text");
  return output;
}

void Parser::parseRetry(RetryPolicy& retry) {
  retry.limit = takeInt("a number of attempts");
  if (acceptWord("backoff")) retry.backoff.micros = takeInt("microseconds");
  if (acceptWord("factor")) retry.factor = takeFloat("a number");
  if (acceptWord("max_backoff")) retry.maxBackoff.micros = takeInt("microseconds");
  if (acceptWord("on")) {
    expectPunct('[');
    while (!failed_ && !acceptPunct(']')) {
      retry.on.push_back(static_cast<FailureClass>(
          takeChoice("`transient`, `oom`, `timeout` or `exit`", kFailures)));
      if (!atPunct(']')) expectPunct(',');
    }
  }
  if (acceptWord("exit_codes")) {
    expectPunct('[');
    while (!failed_ && !acceptPunct(']')) {
      retry.exitCodes.push_back(takeInt("an exit code"));
      if (!atPunct(']')) expectPunct(',');
    }
  }
}

void Parser::parseRun(TaskDef& task) {
  task.run = static_cast<RunKind>(takeChoice("`argv`, `sh`, `python` or `table`", kRuns));
  while (!failed_) {
    const bool unkeyed = acceptWord("unkeyed");
    const bool spread = acceptWord("spread");
    if (!unkeyed && !spread && token_.kind != TokenKind::Number) break;
    task.argv.push_back({takeIndex("the index of a word"), spread, unkeyed});
  }
  if (!failed_ && token_.kind == TokenKind::String) task.script = takeString("a script");
}

void Parser::parseTaskLine(TaskDef& task) {
  if (acceptWord("doc")) {
    task.doc = takeString("text");
  } else if (acceptWord("param")) {
    task.params.push_back(parseParam());
  } else if (acceptWord("output")) {
    task.outputs.push_back(parseOutput());
  } else if (acceptWord("result")) {
    task.result = parseType();
  } else if (acceptWord("volatile")) {
    task.isVolatile = true;
  } else if (acceptWord("cache")) {
    expectWord("false");
    task.cache = false;
  } else if (acceptWord("image")) {
    task.image = takeString("an image");
  } else if (acceptWord("cpu")) {
    task.cpu = takeFloat("a number of cores");
  } else if (acceptWord("memory")) {
    task.memory = takeInt("bytes");
  } else if (acceptWord("gpu")) {
    task.gpu = takeInt("a number");
  } else if (acceptWord("disk")) {
    task.disk = takeInt("bytes");
  } else if (acceptWord("timeout")) {
    task.timeout.micros = takeInt("microseconds");
  } else if (acceptWord("retry")) {
    parseRetry(task.retry);
  } else if (atWord("exprs") && !task.exprs.valid()) {
    advance();
    task.exprs = parseRegion();
  } else if (acceptWord("env")) {
    TaskDef::Env env;
    env.name = takeName("a variable's name");
    env.result = takeIndex("the index of a value");
    task.env.push_back(std::move(env));
  } else if (acceptWord("run")) {
    parseRun(task);
  } else {
    expected("a line of a task, or `}`");
  }
}

void Parser::parseTask() {
  TaskDef task;
  task.name = takeName("a task's name");
  const auto known = tasks_.find(task.name);
  if (failed_ || known == tasks_.end()) return expected("a task's name");
  if (known->second.index() != module_.tasks.size()) return duplicate("task", task.name);
  task.result = TypeTable::kError;
  expectPunct('{');
  while (!failed_ && !acceptPunct('}')) parseTaskLine(task);
  module_.tasks.push_back(std::move(task));
}

void Parser::parseFunc(FuncKind kind) {
  FuncDef func;
  func.kind = kind;
  func.name = takeName("a function's name");
  const auto known = funcs_.find(func.name);
  if (failed_ || known == funcs_.end()) return expected("a function's name");
  if (known->second.index() != module_.funcs.size()) return duplicate("function", func.name);
  func.result = TypeTable::kError;
  if (kind == FuncKind::Workflow && acceptWord("part")) func.outlined = Outlined::Part;
  if (kind == FuncKind::Workflow && acceptWord("group")) func.outlined = Outlined::Group;
  expectPunct('{');
  while (!failed_ && !acceptPunct('}')) {
    if (acceptWord("doc")) {
      func.doc = takeString("text");
    } else if (acceptWord("param")) {
      func.params.push_back(parseParam());
    } else if (acceptWord("result")) {
      func.result = parseType();
    } else if (atWord("body") && !func.body.valid()) {
      advance();
      func.body = parseRegion();
    } else if (atWord("finally") && !func.finally.valid()) {
      advance();
      func.finally = parseRegion();
    } else {
      expected("`doc`, `param`, `result`, `body`, `finally` or `}`");
    }
  }
  module_.funcs.push_back(std::move(func));
}

void Parser::parseTarget() {
  TargetDef target;
  target.name = takeName("a target's name");
  if (module_.findTarget(target.name) != nullptr) return duplicate("target", target.name);
  expectPunct('=');
  target.engine = takeName("an engine's name");
  expectPunct('{');
  while (!failed_ && !acceptPunct('}')) {
    std::string key = takeName("a setting's name or `}`");
    expectPunct(':');
    target.settings.emplace_back(std::move(key), module_.intern(parseValue()));
  }
  module_.targets.push_back(std::move(target));
}

void Parser::parseTest() {
  TestDef test;
  test.title = takeString("a test's title");
  test.body = parseRegion();
  if (failed_) return;
  test.expectations.resize(module_.at(test.body).results.size());
  module_.tests.push_back(std::move(test));
}

}  // namespace couler::ir::text

namespace couler::ir {

std::optional<Module> parseText(const SourceManager& sources, FileId file, DiagnosticSink& diags) {
  return text::Parser(file, sources.text(file), diags).run();
}

}  // namespace couler::ir
