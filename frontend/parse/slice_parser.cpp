#include "frontend/parse/slice_parser.h"

#include <stdexcept>

#include "grammar/CoulerParser.h"

namespace couler::parse {
namespace {

using grammar::CoulerParser;

class SliceStream final : public antlr4::TokenStream {
 public:
  void reset(const std::vector<Tok>& toks) {
    tokens_.clear();
    tokens_.reserve(toks.size());
    for (std::size_t i = 0; i < toks.size(); ++i) tokens_.emplace_back(toks[i], i);
    at_ = 0;
  }
  void clear() {
    tokens_.clear();
    tokens_.shrink_to_fit();
    at_ = 0;
  }
  void consume() override {
    if (at_ + 1 < tokens_.size()) ++at_;
  }
  std::size_t LA(ssize_t i) override { return LT(i)->getType(); }
  antlr4::Token* LT(ssize_t k) override {
    if (k < 0) {
      const auto back = static_cast<std::size_t>(-k);
      return back > at_ ? &tokens_.front() : &tokens_[at_ - back];
    }
    const std::size_t place = at_ + static_cast<std::size_t>(k) - 1;
    return place < tokens_.size() ? &tokens_[place] : &tokens_.back();
  }
  antlr4::Token* get(std::size_t index) const override {
    return const_cast<SliceToken*>(&tokens_[index]);  // the interface has no const token
  }
  ssize_t mark() override { return 0; }
  void release(ssize_t) override {}
  std::size_t index() override { return at_; }
  void seek(std::size_t index) override { at_ = index; }
  std::size_t size() override { return tokens_.size(); }
  std::string getSourceName() const override { return {}; }
  antlr4::TokenSource* getTokenSource() const override { return nullptr; }
  std::string getText(const antlr4::misc::Interval&) override { return {}; }
  std::string getText() override { return {}; }
  std::string getText(antlr4::RuleContext*) override { return {}; }
  std::string getText(antlr4::Token*, antlr4::Token*) override { return {}; }

 private:
  std::vector<SliceToken> tokens_;
  std::size_t at_ = 0;
};

/// Thrown through the generated parser, caught in SliceParser::parse.
struct Stop {};
struct TooDeepStop {};

/// Stops at the first error. Knows what was expected when asked to look.
class StopAtError final : public antlr4::DefaultErrorStrategy {
 public:
  void look(Failure* into) { into_ = into; }
  void reset(antlr4::Parser*) override {}
  void sync(antlr4::Parser*) override {}
  bool inErrorRecoveryMode(antlr4::Parser*) override { return false; }
  void reportMatch(antlr4::Parser*) override {}
  void reportError(antlr4::Parser*, const antlr4::RecognitionException&) override {}
  void recover(antlr4::Parser* parser, std::exception_ptr e) override {
    if (into_ != nullptr) {
      try {
        std::rethrow_exception(e);
      } catch (const antlr4::NoViableAltException& x) {
        note(parser, x.getOffendingToken(), x.getStartToken() == x.getOffendingToken());
      } catch (const antlr4::RecognitionException& x) {
        note(parser, x.getOffendingToken(), true);
      }
    }
    throw Stop{};
  }
  antlr4::Token* recoverInline(antlr4::Parser* parser) override {
    if (into_ != nullptr) note(parser, parser->getCurrentToken(), true);
    throw Stop{};
  }

 private:
  void note(antlr4::Parser* parser, antlr4::Token* at, bool known) {
    into_->token = at->getTokenIndex();
    into_->expected.clear();
    into_->rules.clear();
    if (known) {
      const antlr4::misc::IntervalSet set = parser->getExpectedTokens();
      for (const antlr4::misc::Interval& range : set.getIntervals()) {
        for (ssize_t type = range.a; type <= range.b; ++type) {
          into_->expected.push_back(type < 0 ? kEndOfSlice : static_cast<std::uint16_t>(type));
        }
      }
    }
    for (antlr4::RuleContext* c = parser->getContext(); c != nullptr;
         c = dynamic_cast<antlr4::RuleContext*>(c->parent)) {
      into_->rules.push_back(c->getRuleIndex());
    }
  }

  Failure* into_ = nullptr;
};

/// Counts how deep expressions, blocks and types stand in each other; the generated parser is
/// recursive and must not be let down too far.
class DepthGuard final : public antlr4::tree::ParseTreeListener {
 public:
  explicit DepthGuard(std::uint32_t limit) : limit_(limit) {}
  void reset() { depth_ = 0; }
  void enterEveryRule(antlr4::ParserRuleContext* context) override {
    if (counts(context) && ++depth_ > limit_) throw TooDeepStop{};
  }
  void exitEveryRule(antlr4::ParserRuleContext* context) override {
    if (counts(context)) --depth_;
  }
  void visitTerminal(antlr4::tree::TerminalNode*) override {}
  void visitErrorNode(antlr4::tree::ErrorNode*) override {}

 private:
  static bool counts(antlr4::ParserRuleContext* context) {
    const std::size_t rule = context->getRuleIndex();
    return rule == CoulerParser::RuleExpr || rule == CoulerParser::RuleType ||
           (rule == CoulerParser::RuleStmt && context->start->getType() == CoulerParser::KwFinally);
  }
  std::uint32_t limit_;
  std::uint32_t depth_ = 0;
};

}  // namespace

struct SliceParser::Machine {
  explicit Machine(std::uint32_t maxDepth)
      : parser(&stream), strategy(std::make_shared<StopAtError>()), guard(maxDepth) {
    parser.removeErrorListeners();
    parser.setErrorHandler(strategy);
    parser.addParseListener(&guard);
  }
  SliceStream stream;
  CoulerParser parser;
  std::shared_ptr<StopAtError> strategy;
  DepthGuard guard;

  antlr4::ParserRuleContext* attempt(const std::vector<Tok>& tokens, bool full, Failure* failure) {
    stream.reset(tokens);
    parser.reset();
    guard.reset();
    strategy->look(failure);
    parser.getInterpreter<antlr4::atn::ParserATNSimulator>()->setPredictionMode(
        full ? antlr4::atn::PredictionMode::LL : antlr4::atn::PredictionMode::SLL);
    try {
      return parser.declaration();
    } catch (const Stop&) {
    } catch (const TooDeepStop&) {
      if (failure != nullptr) {
        failure->tooDeep = true;
        failure->token = stream.index();
        failure->expected.clear();
        failure->rules.clear();
      }
    } catch (const std::exception&) {
      // Nothing of the runtime's own may leave this file; the place is where it stood.
      if (failure != nullptr) failure->token = stream.index();
    }
    return nullptr;
  }
};

SliceParser::SliceParser(std::uint32_t maxDepth) : machine_(std::make_unique<Machine>(maxDepth)) {}
SliceParser::~SliceParser() = default;

antlr4::ParserRuleContext* SliceParser::parse(const std::vector<Tok>& tokens) {
  failure_ = {};
  if (auto* tree = machine_->attempt(tokens, false, nullptr)) return tree;
  auto* tree = machine_->attempt(tokens, true, &failure_);
  if (tree != nullptr) ++llFallbacks_;
  return tree;
}

void SliceParser::clear() {
  static const std::vector<Tok> kNothing{Tok{0, 0, kEndOfSlice, false, false}};
  machine_->stream.clear();
  machine_->stream.reset(kNothing);
  machine_->parser.reset();
}

}  // namespace couler::parse
