#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "frontend/lower/lowerer.h"

namespace couler::lower {

/// One `tune`: lists of points, trials in loops, and a choice among them. For one use.
class Lowerer::TuneLowering {
 public:
  TuneLowering(Lowerer& lowerer, const syntax::TuneExpr& expr)
      : l_(lowerer),
        expr_(expr),
        span_(expr.span),
        plan_(lowerer.program_.files[lowerer.file_.index()].tunes.at(expr.id)),
        binding_(lowerer.program_.files[lowerer.file_.index()].calls.at(expr.call->id)),
        callee_(lowerer.program_.at(binding_.callee)),
        signature_(*callee_.signature),
        maybeResult_(types().optional(signature_.result)),
        name_(callee_.name) {}

  NodeId run();

 private:
  [[nodiscard]] ir::TypeTable& types() { return l_.m_.types; }
  [[nodiscard]] TypeId pointList() { return types().list(plan_.point); }
  NodeId op(ir::Builtin builtin, TypeId type, std::span<const NodeId> operands) {
    return l_.op(builtin, type, operands, span_);
  }
  NodeId number(std::int64_t value) { return l_.constNode(value, ir::TypeTable::kInt, span_); }
  NodeId truth(bool value) { return l_.constNode(value, ir::TypeTable::kBool, span_); }
  NodeId noneOf(TypeId type) { return l_.constNode(ir::Value(), type, span_); }
  NodeId record(TypeId type, std::span<const NodeId> fields) {
    return op(ir::Builtin::MakeRecord, type, fields);
  }
  NodeId field(NodeId object, std::string_view name, TypeId type, bool optional = false,
               bool ofEach = false) {
    return l_.m_.add(l_.region_, ir::Field{l_.m_.intern(name), ofEach, optional}, type, {{object}},
                     {}, span_);
  }
  NodeId item(NodeId list, NodeId index) {
    const TypeId element = types()[l_.typeOf(list)].element;
    return op(ir::Builtin::Index, element, {{list, index}});
  }
  NodeId setting(std::string_view name, std::int64_t absent) {
    const auto found = plan_.settings.find(name);
    return found == plan_.settings.end() ? number(absent)
                                         : l_.lowerAs(*found->second, ir::TypeTable::kInt);
  }
  /// A setting that must be a constant, `least` at least.
  std::int64_t constant(std::string_view name, std::int64_t absent, std::int64_t least) {
    const auto found = plan_.settings.find(name);
    if (found == plan_.settings.end()) return absent;
    const auto value = l_.constant(l_.file_, *found->second, ir::TypeTable::kInt);
    const std::int64_t* given = value ? value->as<std::int64_t>() : nullptr;
    if (given == nullptr) return absent;
    l_.checkSetting(found->second, *given >= least, name, fmt::format("must be {} or more", least));
    return std::max(*given, least);
  }

  /// A `for` over a list: `body` makes a value of an item.
  template <class Body>
  NodeId forEach(NodeId list, TypeId element, Body&& body) {
    ir::Module& m = l_.m_;
    const NodeId node = m.add(l_.region_, ir::For{}, types().list(element), {{list}}, {}, span_);
    const RegionId region = m.addRegion(node);
    const TypeId type = types()[l_.typeOf(list)].element;
    const NodeId param = m.addParam(region, type, "trial", span_, m.at(list).phase);
    l_.inRegion(region, [&] { m.at(region).results = {body(param)}; });
    m.at(node).payload = ir::For{region};
    m.updateAttributes(node);
    return node;
  }
  template <class Then, class Otherwise>
  NodeId choose(NodeId condition, TypeId type, Then&& then, Otherwise&& otherwise) {
    ir::Module& m = l_.m_;
    const NodeId node = m.add(l_.region_, ir::If{}, type, {{condition}}, {}, span_);
    ir::If payload;
    payload.then = m.addRegion(node);
    l_.inRegion(payload.then, [&] { m.at(payload.then).results = {then()}; });
    payload.otherwise = m.addRegion(node);
    l_.inRegion(payload.otherwise, [&] { m.at(payload.otherwise).results = {otherwise()}; });
    m.at(node).payload = payload;
    m.updateAttributes(node);
    return node;
  }

  NodeId fallback(std::size_t param) {
    const sema::FieldInfo& info = signature_.params[param];
    const ir::ConstId value = l_.fallback(info, callee_.file);
    return l_.m_.add(l_.region_, ir::Const{value}, l_.paramType(info, callee_.file), {}, {}, span_);
  }

  void lowerArguments();
  void lowerSpaces();
  /// A bound or the values of a space; with a prior a constant, since a model is asked before all.
  NodeId bound(const syntax::Expr& expr, TypeId type);

  /// The first points, which the command puts in place of the node, and what a model is to know
  /// when it is asked for them.
  NodeId prior();

  /// The operands of what draws so many points.
  std::vector<NodeId> sampled(std::string_view count) {
    std::vector<NodeId> operands{sample_, first_, setting(count, 0), setting("seed", 0)};
    operands.insert(operands.end(), spaces_.begin(), spaces_.end());
    return operands;
  }

  /// The points with defaults where a condition does not hold, each once.
  NodeId effective(NodeId points);

  /// One trial; none when it fails.
  NodeId attempt(NodeId point, ir::NameId name, NodeId resource = {}, NodeId checkpoint = {});

  NodeId scoresOf(NodeId results) {
    const sema::FieldInfo& objective = signature_.outputs[plan_.objective];
    return field(results, objective.name, types().list(types().optional(objective.type)), true,
                 true);
  }

  void tryAll();

  NodeId numbers() {
    const NodeId count = op(ir::Builtin::LengthList, ir::TypeTable::kInt, {{points_}});
    return op(ir::Builtin::RangeTo, types().list(ir::TypeTable::kInt), {{count}});
  }

  /// How much of the resource each rung of `asha` gives.
  std::vector<std::int64_t> amountsOfRungs(std::int64_t reduction);

  /// Where trials start: a list that is gone through again and again.
  std::vector<std::int64_t> starts(std::size_t rungs, std::int64_t reduction);
  NodeId startOf(NodeId trial, const std::vector<std::int64_t>& cycle);
  NodeId numbersOf(const std::vector<std::int64_t>& values);

  /// Successive halving: each rung gives more to fewer, which go on from where they were.
  void halve();

  /// A loop whose state is the trials so far; each turn asks for the next points.
  void learn();

  NodeId finish();

  /// What `trials` says of one.
  NodeId row(NodeId trial);

  Lowerer& l_;
  const syntax::TuneExpr& expr_;
  Span span_;
  const sema::TunePlan& plan_;
  const sema::CallBinding& binding_;
  const sema::Symbol& callee_;
  const sema::Signature& signature_;
  TypeId maybeResult_;
  std::string_view name_;
  std::vector<NodeId> arguments_;  ///< by parameter; invalid for what a trial itself gives
  std::vector<NodeId> spaces_;
  NodeId sample_;
  NodeId first_;    ///< list<point>: what to try before all else
  NodeId points_;   ///< list<point>
  NodeId results_;  ///< list<result?>, one a point
  NodeId reached_;  ///< Asha: list<int>
  NodeId best_;
};

}  // namespace couler::lower
