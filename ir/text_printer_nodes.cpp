#include <utility>

#include "ir/text_lexer.h"
#include "ir/text_printer.h"
#include "ir/text_words.h"

namespace couler::ir::text {

template <class Defs>
void Printer::definitionName(const Defs& defs, std::size_t index) {
  out_ += ' ';
  if (index < defs.size()) {
    name(defs[index].name);
  } else {
    out_ += '?';
  }
}

void Printer::node(NodeId id) {
  out_ += '%';
  const bool known = id.index() < numbers_.size() && numbers_[id.index()] != kNoNumber;
  out_ += known ? std::to_string(numbers_[id.index()]) : "?";
}

void Printer::number(NodeId id) {
  numbers_[id.index()] = static_cast<std::uint32_t>(numbered_.size());
  numbered_.push_back(id);
}

void Printer::nodeList(std::span<const NodeId> ids) {
  bool first = true;
  for (const NodeId id : ids) {
    if (!std::exchange(first, false)) out_ += ", ";
    node(id);
  }
}

void Printer::nodeName(NameId id) {
  if (id.index() >= module_.nameCount()) return;
  out_ += ' ';
  name(module_.at(id));
}

void Printer::tail(NodeId id) {
  const Node& n = module_.at(id);
  out_ += ": ";
  out_ += type(n.type);
  const Attributes usual = usualAttributes(n.payload);
  std::string listed;
  const auto list = [&](std::string_view word) {
    if (!listed.empty()) listed += ", ";
    listed += word;
  };
  if (n.effect != usual.effect) list(kEffects[static_cast<std::size_t>(n.effect)]);
  if (n.footprint != usual.footprint) {
    list(kFootprints[static_cast<std::size_t>(n.footprint)]);
  }
  if (n.phase != usual.phase) list(kPhases[static_cast<std::size_t>(n.phase)]);
  if (!listed.empty()) out_ += " [" + listed + "]";
  if (const auto cost = module_.costs.find(id); cost != module_.costs.end()) {
    out_ += " cost ";
    number(cost->second.seconds);
    out_ += ' ';
    number(cost->second.bytesOut);
    if (cost->second.measured) out_ += " measured";
    if (cost->second.drop) out_ += " drop";
  }
}

void Printer::rows(const Rows& x) {
  out_ += "rows ";
  out_ += kRowsOps[static_cast<std::size_t>(x.op)];
  if (x.op == RowsOp::Read) {
    out_ += ' ';
    out_ += kBadRows[static_cast<std::size_t>(x.onBad)];
  }
  if (x.op == RowsOp::Join) {
    out_ += ' ';
    out_ += kJoins[static_cast<std::size_t>(x.join)];
  }
  if (x.op == RowsOp::Join || x.op == RowsOp::Group) out_ += ' ' + std::to_string(x.keys);
  if (x.op == RowsOp::Sort) out_ += ' ' + std::to_string(x.descending);
}

void Printer::head(const Node& n) {
  const auto word = [&](std::string_view w) { out_ += w; };
  std::visit(Overloaded{[](std::monostate) {},
                        [&](const Const& c) {
                          word("const ");
                          constant(c.value);
                        },
                        [&](const Param&) { word("param"); },
                        [&](const Op& op) {
                          word(op.lifted ? "op lifted " : "op ");
                          out_ += info(op.op).enumerator;
                        },
                        [&](const Field& f) {
                          word("field");
                          if (f.ofEach) out_ += " each";
                          if (f.optional) out_ += " optional";
                          nodeName(f.name);
                        },
                        [&](const Step& s) {
                          word("step");
                          definitionName(module_.tasks, s.task.index());
                        },
                        [&](const Call& c) {
                          word("call");
                          definitionName(module_.funcs, c.callee.index());
                        },
                        [&](const For&) { word("for"); }, [&](const If&) { word("if"); },
                        [&](const Loop&) { word("loop"); }, [&](const Try&) { word("try"); },
                        [&](const Rows& x) { rows(x); }},
             n.payload);
  if (!std::holds_alternative<Const>(n.payload) || n.operandCount != 0) {
    out_ += '(';
    nodeList(module_.operands(n));
    out_ += ')';
  }
  if (n.orderCount != 0) {
    out_ += " after ";
    nodeList(module_.order(n));
  }
  out_ += ' ';
}

void Printer::openRegion(std::vector<Frame>& stack, RegionId id, std::size_t depth, NodeId owner,
                         bool hasElse) {
  out_ += '{';
  const Region& region = module_.at(id);
  if (!region.params.empty()) {
    out_ += " (";
    bool first = true;
    for (const NodeId param : region.params) {
      if (!std::exchange(first, false)) {
        out_ += ",\n";
        indent(depth + 2);
      }
      number(param);
      node(param);
      nodeName(module_.at(param).name);
      tail(param);
    }
    out_ += ')';
  }
  out_ += '\n';
  stack.push_back({id, 0, owner, hasElse});
}

/// A region and all it contains, without recursion: bodies nest as deep as they like.
void Printer::printRegion(RegionId root, std::size_t depth) {
  if (root.index() >= module_.regions.size()) {
    out_ += "{\n}";
    return;
  }
  std::vector<Frame> stack;
  openRegion(stack, root, depth, {}, false);
  while (!stack.empty()) {
    Frame& frame = stack.back();
    const Region& region = module_.at(frame.region);
    const std::size_t level = depth + stack.size();
    if (frame.next < region.nodes.size()) {
      const NodeId id = region.nodes[frame.next++];
      const Node& n = module_.at(id);
      if (std::holds_alternative<std::monostate>(n.payload)) continue;
      number(id);
      indent(level);
      node(id);
      nodeName(n.name);
      out_ += " = ";
      head(n);
      const std::vector<RegionId> owned = module_.regionsOf(n);
      if (owned.empty()) {
        tail(id);
        out_ += '\n';
      } else {
        openRegion(stack, owned.front(), level, id, owned.size() > 1);
      }
      continue;
    }
    if (!region.results.empty()) {
      indent(level);
      out_ += "yield ";
      nodeList(region.results);
      out_ += '\n';
    }
    indent(level - 1);
    out_ += '}';
    const Frame done = frame;
    stack.pop_back();
    if (!done.owner.valid()) continue;
    if (done.hasElse) {
      out_ += " else ";
      openRegion(stack, module_.regionsOf(module_.at(done.owner)).back(), level - 1, done.owner,
                 false);
    } else {
      out_ += ' ';
      tail(done.owner);
      out_ += '\n';
    }
  }
}

void Printer::regionLine(std::string_view word, RegionId id) {
  if (!id.valid()) return;
  keyword(1, word);
  out_ += ' ';
  printRegion(id, 1);
  out_ += '\n';
}

}  // namespace couler::ir::text
