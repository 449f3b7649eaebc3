#include "frontend/parse/messages.h"

#include <algorithm>
#include <string>

#include "frontend/parse/words.h"
#include "grammar/CoulerParser.h"

namespace couler::parse {
namespace {

using P = grammar::CoulerParser;

/// How a token type is named where one is expected.
std::string describe(std::uint16_t type) {
  switch (type) {
    case P::Term:
      return "the end of the line";
    case kEndOfSlice:
      return "the end of the declaration";
    case P::Ident:
      return "a name";
    case P::LitString:
      return "a string";
    case P::LitInt:
      return "a number";
    case P::OpOpenBrace:
      return "`{`";
    case P::OpCloseBrace:
    case P::InterpClose:
      return "`}`";
    case P::OpOpenParen:
      return "`(`";
    case P::OpCloseParen:
      return "`)`";
    case P::OpOpenSquare:
      return "`[`";
    case P::OpCloseSquare:
      return "`]`";
    case P::OpColon:
      return "`:`";
    case P::OpComma:
      return "`,`";
    case P::OpAssign:
      return "`=`";
    case P::OpArrow:
      return "`->`";
    case P::OpDot:
      return "`.`";
    case P::OpGreater:
      return "`>`";
    case P::KwIn:
      return "`in`";
    case P::KwMax:
      return "`max`";
    case P::KwUntil:
      return "`until`";
    case P::KwElse:
      return "`else`";
    case P::KwAs:
      return "`as`";
    case P::KwWhen:
      return "`when`";
    case P::KwOn:
      return "`on`";
    case P::KwBy:
      return "`by`";
    case P::KwFrom:
      return "`from`";
    case P::KwMaximize:
      return "`maximize`";
    case P::KwMinimize:
      return "`minimize`";
    case P::KwTask:
      return "`task`";
    case P::KwVote:
      return "`vote`";
    default:
      return {};
  }
}

bool contains(const std::vector<std::uint16_t>& set, std::uint16_t type) {
  return std::find(set.begin(), set.end(), type) != set.end();
}

bool inRule(const Failure& f, std::size_t rule) {
  return !f.rules.empty() && f.rules.front() == rule;
}

bool withinRule(const Failure& f, std::size_t rule) {
  return std::find(f.rules.begin(), f.rules.end(), rule) != f.rules.end();
}

bool isNothing(std::uint16_t type) { return type == P::Term || type == kEndOfSlice; }

/// The parts of "expected …": at most three.
std::string expectation(const Failure& f) {
  const std::vector<std::uint16_t>& set = f.expected;
  std::vector<std::string> parts;
  if (contains(set, P::KwNot) && contains(set, P::LitInt)) {
    parts.emplace_back("an expression");
  } else {
    if (contains(set, P::OpPlus) && contains(set, P::OpStar)) parts.emplace_back("an operator");
    for (const std::uint16_t type : {std::uint16_t{P::OpComma},
                                     std::uint16_t{P::OpCloseParen},
                                     std::uint16_t{P::OpCloseSquare},
                                     std::uint16_t{P::InterpClose},
                                     std::uint16_t{P::OpColon},
                                     std::uint16_t{P::OpAssign},
                                     std::uint16_t{P::OpArrow},
                                     std::uint16_t{P::Ident},
                                     std::uint16_t{P::OpOpenParen},
                                     std::uint16_t{P::OpOpenBrace},
                                     std::uint16_t{P::LitString},
                                     std::uint16_t{P::KwIn},
                                     std::uint16_t{P::KwMax},
                                     std::uint16_t{P::KwUntil},
                                     std::uint16_t{P::KwWhen},
                                     std::uint16_t{P::KwOn},
                                     std::uint16_t{P::KwBy},
                                     std::uint16_t{P::KwFrom},
                                     std::uint16_t{P::KwMaximize},
                                     std::uint16_t{P::KwMinimize},
                                     std::uint16_t{P::KwTask},
                                     std::uint16_t{P::KwVote},
                                     std::uint16_t{P::OpGreater},
                                     std::uint16_t{P::Term},
                                     std::uint16_t{P::OpCloseBrace},
                                     kEndOfSlice}) {
      if (!contains(set, type)) continue;
      // After a whole expression every way on is open; only what would end it helps.
      if (!parts.empty() && parts[0] == "an operator" &&
          (type == P::OpOpenParen || type == P::KwIn || type == P::OpOpenBrace)) {
        if (type != P::OpOpenBrace) continue;
      }
      const std::string part = describe(type);
      if (std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(part);
    }
    if (contains(set, P::OpDot) && parts.empty()) parts.emplace_back("`.`");
  }
  if (parts.empty() || parts.size() > 4) return {};
  std::string text = parts[0];
  for (std::size_t i = 1; i < parts.size(); ++i) {
    text += (i + 1 == parts.size() ? " or " : ", ") + parts[i];
  }
  return text;
}

}  // namespace

Diagnostic explain(const Failure& f, const std::vector<Tok>& tokens, const ErrorLog& log,
                   std::uint32_t maxDepth) {
  const Tok& found = tokens[f.token];
  const std::string_view file = log.text();
  const auto shown = [&](const Tok& t) {
    std::string_view text = file.substr(t.begin, t.end - t.begin);
    text = text.substr(0, text.find('\n'));
    return text.size() > 40 ? std::string(text.substr(0, 37)) + "..." : std::string(text);
  };
  if (f.tooDeep) return diagnose<Diag::TooDeep>(log.span(found.begin, found.end), maxDepth);
  if (f.token == 0)
    return diagnose<Diag::NotADeclaration>(log.span(found.begin, found.end), shown(found));

  const Tok* before = &tokens[f.token - 1];
  if (before->type == P::Term && f.token > 1) before = &tokens[f.token - 2];
  const Span hole = log.span(before->end, before->end);
  const bool nothing = isNothing(found.type) || found.begin == found.end;
  const std::string foundText = nothing ? std::string() : shown(found);

  if (goesOn(before->type) && !isOpener(before->type) && before->type != P::OpComma &&
      tokens[f.token - 1].type != P::Term) {
    const bool typeWanted =
        (before->type == P::OpColon && (withinRule(f, P::RuleField) || inRule(f, P::RuleLetStmt)) &&
         !contains(f.expected, P::KwNot)) ||
        inRule(f, P::RuleType) || before->type == P::OpArrow;
    if (typeWanted) return diagnose<Diag::ExpectedType>(hole, shown(*before));
    if (contains(f.expected, P::KwNot) || f.expected.empty()) {
      Diagnostic d = diagnose<Diag::ExpectedExpression>(hole, shown(*before));
      if (!nothing && !isCloser(found.type))
        d.label(log.span(found.begin, found.end), "this begins none");
      return d;
    }
  }
  if (isReservedWord(found.type) && contains(f.expected, P::Ident) &&
      !contains(f.expected, P::KwNot)) {
    return diagnose<Diag::SyntaxError>(
        log.span(found.begin, found.end),
        fmt::format("expected a name, found `{}`, which is a reserved word", foundText));
  }
  std::string wanted = expectation(f);
  if (inRule(f, P::RuleTaskItem) ||
      (inRule(f, P::RuleTaskDecl) && before->type == P::OpOpenBrace) ||
      (inRule(f, P::RuleTaskDecl) && before->type != P::OpOpenBrace &&
       tokens[f.token - 1].type == P::Term)) {
    if (found.type == P::Ident) {
      return diagnose<Diag::SyntaxError>(log.span(found.begin, found.end),
                                         fmt::format("unknown task attribute `{}`", foundText))
          .note("a task has `image`, `resources`, `env`, `timeout`, `retry`, `cache` and `run`");
    }
  }
  const bool onlyClosing =
      std::all_of(f.expected.begin(), f.expected.end(),
                  [](std::uint16_t type) { return type == P::OpCloseBrace || type == P::Term; });
  if (onlyClosing && !f.expected.empty() && before->type != P::OpOpenBrace && !nothing) {
    const bool afterValue = endsOperand(before->type) && !withinRule(f, P::RuleSettings);
    wanted = afterValue ? "an operator or the end of the line" : "`,` or the end of the line";
  }
  if (wanted.empty()) {
    if (nothing) {
      return diagnose<Diag::SyntaxError>(
          hole, fmt::format("something is missing after `{}`", shown(*before)));
    }
    return diagnose<Diag::SyntaxError>(
        log.span(found.begin, found.end),
        fmt::format("unexpected `{}` after `{}`", foundText, shown(*before)));
  }
  if (nothing) {
    return diagnose<Diag::SyntaxError>(
        hole, fmt::format("expected {} after `{}`", wanted, shown(*before)));
  }
  Diagnostic d = diagnose<Diag::SyntaxError>(
      hole, fmt::format("expected {} after `{}`, found `{}`", wanted, shown(*before), foundText));
  return d;
}

}  // namespace couler::parse
