#include <algorithm>
#include <array>
#include <charconv>

#include "ir/text_parser.h"

namespace couler::ir::text {

/// The number of the `%n` here, which is not taken.
std::optional<std::uint64_t> Parser::atNode() {
  if (failed_ || token_.kind != TokenKind::Node) {
    expected("a node such as `%0`");
    return std::nullopt;
  }
  const std::string_view digits = spelling().substr(1);
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (parsed.ec != std::errc{}) {
    expected("a node number of 64 bits");
    return std::nullopt;
  }
  return number;
}

/// Makes the node that the `%n` here names.
NodeId Parser::defineNode(RegionId region) {
  const std::optional<std::uint64_t> number = atNode();
  if (!number) return {};
  const NodeId id{module_.nodes.size()};
  if (!nodes_.emplace(*number, id).second) {
    duplicate("node", spelling());
    return {};
  }
  Node& node = module_.nodes.emplace_back();
  node.region = region;
  node.span = {file_, token_.begin, token_.end};
  advance();
  if (token_.kind == TokenKind::Word || token_.kind == TokenKind::String) {
    module_.at(id).name = module_.intern(std::string_view(takeName("a name")));
  }
  return id;
}

NodeId Parser::useNode() {
  const std::optional<std::uint64_t> number = atNode();
  if (!number) return {};
  const auto found = nodes_.find(*number);
  if (found == nodes_.end()) {
    unknown("node", spelling());
    return {};
  }
  advance();
  return found->second;
}

void Parser::useNodes(std::vector<NodeId>& into, char close) {
  while (!failed_ && !acceptPunct(close)) {
    into.push_back(useNode());
    if (!atPunct(close)) expectPunct(',');
  }
}

/// `: type [attributes] cost …`
void Parser::parseTail(NodeId id) {
  expectPunct(':');
  module_.at(id).type = parseType();
  Node& node = module_.at(id);
  const Attributes usual = usualAttributes(node.payload);
  node.effect = usual.effect;
  node.footprint = usual.footprint;
  node.phase = usual.phase;
  if (acceptPunct('[')) {
    while (!failed_ && !acceptPunct(']')) {
      const auto choose = [&](auto& words, auto& attribute) {
        for (std::size_t i = 0; i < words.size(); ++i) {
          if (!acceptWord(words[i])) continue;
          attribute = static_cast<std::remove_reference_t<decltype(attribute)>>(i);
          return true;
        }
        return false;
      };
      if (!choose(kEffects, node.effect) && !choose(kFootprints, node.footprint) &&
          !choose(kPhases, node.phase)) {
        expected("an effect, a footprint or a phase");
      }
      if (!atPunct(']')) expectPunct(',');
    }
  }
  if (acceptWord("cost")) {
    Cost cost;
    cost.seconds = takeFloat("seconds");
    cost.bytesOut = takeInt("bytes");
    cost.measured = acceptWord("measured");
    cost.drop = acceptWord("drop");
    module_.costs.emplace(id, cost);
  }
}

/// The word of a kind and what follows it. True when regions follow.
bool Parser::parsePayload(NodeId id, std::string_view kind) {
  constexpr std::array<std::string_view, 10> kKinds = {"const", "op", "field", "step", "call",
                                                       "for",   "if", "loop",  "try",  "rows"};
  if (std::find(kKinds.begin(), kKinds.end(), kind) == kKinds.end()) {
    expected("a kind of node");
    return false;
  }
  advance();
  const auto set = [&](Payload payload) { module_.at(id).payload = std::move(payload); };
  if (kind == "const") {
    set(Const{module_.intern(parseValue())});
  } else if (kind == "op") {
    const bool lifted = acceptWord("lifted");
    const std::string_view word = spelling();
    const BuiltinInfo* found = token_.kind == TokenKind::Word ? findBuiltin(word) : nullptr;
    if (found == nullptr) {
      std::vector<std::string_view> words;
      for (const BuiltinInfo& row : builtinTable()) words.push_back(row.enumerator);
      unknown("operation", word, words);
      return false;
    }
    advance();
    set(Op{found->id, lifted});
  } else if (kind == "field") {
    Field field;
    if (atWord("each") && !nextIsPunct('(')) {
      advance();
      field.ofEach = true;
    }
    if (atWord("optional") && !nextIsPunct('(')) {
      advance();
      field.optional = true;
    }
    field.name = module_.intern(std::string_view(takeName("a field's name")));
    set(field);
  } else if (kind == "step" || kind == "call") {
    const Token at = token_;
    const std::string name = takeName("a name");
    const auto miss = [&](std::string_view what) {
      if (failed_) return;
      failed_ = true;
      diags_.take(diagnose<Diag::IrUnknown>(Span{file_, at.begin, at.end}, what, name));
    };
    if (kind == "step") {
      const auto found = tasks_.find(name);
      if (found == tasks_.end()) {
        miss("task");
      } else {
        set(Step{found->second});
      }
    } else {
      const auto found = funcs_.find(name);
      if (found == funcs_.end()) {
        miss("function");
      } else {
        set(Call{found->second});
      }
    }
  } else if (kind == "for") {
    set(For{});
    return true;
  } else if (kind == "if") {
    set(If{});
    return true;
  } else if (kind == "loop") {
    set(Loop{});
    return true;
  } else if (kind == "rows") {
    const Rows rows = parseRows();
    set(rows);
    return hasBody(rows.op);
  } else {
    set(Try{});
    return true;
  }
  return false;
}

Rows Parser::parseRows() {
  Rows rows;
  rows.op = static_cast<RowsOp>(takeChoice("an operator over rows", kRowsOps));
  if (rows.op == RowsOp::Read) {
    rows.onBad = static_cast<BadRows>(takeChoice("`fail`, `drop` or `keep`", kBadRows));
  }
  if (rows.op == RowsOp::Join) {
    rows.join = static_cast<JoinKind>(takeChoice("`inner`, `left`, `semi` or `anti`", kJoins));
  }
  if (rows.op == RowsOp::Join || rows.op == RowsOp::Group) {
    const std::uint32_t keys = takeIndex("the number of keys");
    if (keys > kMaxKeys) expected("at most 32 keys");
    rows.keys = static_cast<std::uint8_t>(keys);
  }
  if (rows.op == RowsOp::Sort) rows.descending = takeIndex("which keys are descending");
  return rows;
}

bool Parser::openRegion(std::vector<Frame>& stack, RegionId region, NodeId owner) {
  expectPunct('{');
  if (acceptPunct('(')) {
    while (!failed_ && !acceptPunct(')')) {
      const NodeId id = defineNode(region);
      if (failed_) break;
      module_.at(id).payload = Param{static_cast<std::uint32_t>(module_.at(region).params.size())};
      module_.at(region).params.push_back(id);
      parseTail(id);
      if (!atPunct(')')) expectPunct(',');
    }
  }
  stack.push_back({region, owner});
  return !failed_;
}

bool Parser::parseNode(std::vector<Frame>& stack) {
  const RegionId region = stack.back().region;
  const NodeId id = defineNode(region);
  if (failed_) return false;
  module_.at(region).nodes.push_back(id);
  expectPunct('=');
  if (failed_ || token_.kind != TokenKind::Word) {
    expected("a kind of node");
    return false;
  }
  const std::string_view kind = spelling();
  const bool owns = parsePayload(id, kind);
  if (failed_) return false;
  scratch_.clear();
  if (kind != "const" || atPunct('(')) {
    expectPunct('(');
    useNodes(scratch_, ')');
  }
  const std::size_t operandCount = scratch_.size();
  if (acceptWord("after")) {
    do {
      scratch_.push_back(useNode());
    } while (acceptPunct(','));
  }
  Node& node = module_.at(id);
  node.firstOperand = static_cast<std::uint32_t>(module_.operandPool.size());
  node.operandCount = static_cast<std::uint32_t>(operandCount);
  node.orderCount = static_cast<std::uint32_t>(scratch_.size() - operandCount);
  module_.operandPool.insert(module_.operandPool.end(), scratch_.begin(), scratch_.end());
  if (!owns) {
    parseTail(id);
    return false;
  }
  const RegionId body = module_.addRegion(id);
  std::visit(
      Overloaded{[&](For& x) { x.body = body; }, [&](If& x) { x.then = body; },
                 [&](Loop& x) { x.body = body; }, [&](Try& x) { x.body = body; },
                 [&](Rows& x) { x.body = body; }, [](auto&) {}},
      module_.at(id).payload);
  return openRegion(stack, body, id);
}

void Parser::parseYield(RegionId region) {
  do {
    const NodeId result = useNode();
    if (failed_) return;
    module_.at(region).results.push_back(result);
  } while (acceptPunct(','));
}

/// A region and all it contains. A stack of its own: bodies nest as deep as they like.
RegionId Parser::parseRegion() {
  const RegionId root = module_.addRegion();
  std::vector<Frame> stack;
  if (!openRegion(stack, root, {})) return root;
  while (!failed_ && !stack.empty()) {
    const Frame frame = stack.back();
    if (acceptPunct('}')) {
      stack.pop_back();
      if (!frame.owner.valid()) break;
      If* choice = std::get_if<If>(&module_.at(frame.owner).payload);
      if (choice != nullptr && !choice->otherwise.valid() && acceptWord("else")) {
        const RegionId otherwise = module_.addRegion(frame.owner);
        std::get<If>(module_.at(frame.owner).payload).otherwise = otherwise;
        openRegion(stack, otherwise, frame.owner);
      } else {
        parseTail(frame.owner);
      }
    } else if (acceptWord("yield")) {
      parseYield(frame.region);
      if (!atPunct('}')) expectPunct('}');
    } else {
      parseNode(stack);
    }
  }
  return root;
}

}  // namespace couler::ir::text
