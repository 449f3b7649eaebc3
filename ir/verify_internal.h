#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "ir/module.h"

/// What the files of `verify` share; no part of its interface (ir/verify.h).
namespace couler::ir {

/// Reports stop here: one broken id makes many followers.
inline constexpr std::size_t kMaxProblems = 100;

struct OperandTypesHash {
  std::size_t operator()(const std::vector<std::uint32_t>& ids) const {
    std::size_t hash = 1469598103934665603ULL;
    for (const std::uint32_t id : ids) hash = (hash ^ id) * 1099511628211ULL;
    return hash;
  }
};

/// For one module.
class Verifier {
 public:
  explicit Verifier(const Module& module)
      : m_(module),
        types_(module.types),
        visible_(module.nodes.size(), false),
        placed_(module.nodes.size(), false),
        owned_(module.regions.size(), false),
        nameSeen_(module.nameCount(), 0) {}
  std::vector<std::string> run();

 private:
  enum class Inside : std::uint8_t { Expressions, Steps };
  struct Frame {
    RegionId region;
    std::size_t next = 0;
    NodeId owner;
    std::size_t ownerRegion = 0;  ///< which of the owner's regions this is
  };

  template <class... Args>
  void problem(fmt::format_string<Args...> format, Args&&... args) {
    if (problems_.size() < kMaxProblems) {
      problems_.push_back(fmt::format(format, std::forward<Args>(args)...));
    }
  }
  std::string type(TypeId id) const { return types_.print(id); }
  bool typeOk(TypeId id) const { return id.index() < m_.types.size(); }
  bool constOk(ConstId id) const { return id.index() < m_.constantCount(); }

  // verify_ids.cpp: ids, before anything follows one
  bool idsInRange();
  void paramIdsInRange(const std::vector<ParamDef>& params, std::string_view of);
  void nodeIdsInRange(NodeId id);

  // verify.cpp: definitions, calls
  void verifyTask(const TaskDef& task);
  void verifyFallbacks(const std::vector<ParamDef>& params, std::string_view of);
  void verifyFunc(const FuncDef& func);
  void verifyTest(const TestDef& test);
  void verifyRegionParams(const Region& region, std::span<const TypeId> want,
                          const std::string& of);
  void verifyCallsAcyclic();

  // verify_bodies.cpp: what stands where, and what it can see
  bool enter(std::vector<Frame>& stack, RegionId id, NodeId owner, std::size_t which);
  bool place(NodeId id);
  void verifyName(NodeId id);
  void walk(RegionId root, std::span<const NodeId> outerParams, Inside inside);
  void finish(NodeId id, Frame& frame);
  void verifyOperands(NodeId id, Inside inside);

  // verify_nodes.cpp: operands and types
  std::string say(NodeId id) const;
  static std::string_view word(const Payload& payload);
  bool count(NodeId id, std::size_t want);
  void expectType(NodeId id, std::string_view what, TypeId want, TypeId found);
  bool shape(NodeId id, RegionId region, std::span<const TypeId> params, std::size_t results);
  TypeId resultType(RegionId region, std::size_t i = 0) const;
  TypeId operandType(const Node& node, std::size_t i) const;
  TypeId elementOf(TypeId list) const;
  void verifyNode(NodeId id);
  void verifyArguments(NodeId id, const std::vector<ParamDef>& params);
  void verifyOp(NodeId id, const Op& payload);
  TypeId opResult(NodeId id, const Op& payload);
  void verifyField(NodeId id, const Field& field);

  // verify_rows.cpp
  TypeId rowOf(TypeId table) const;
  void verifyRows(NodeId id, const Rows& x);
  void verifyConcat(NodeId id);
  void verifyDrift(NodeId id);
  void verifyJoin(NodeId id, const Rows& x, TypeId left, TypeId right, TypeId made);
  void verifyPlan(const TaskDef& task);

  // verify_values.cpp
  void verifyValue(ConstId id, TypeId want, std::string_view what, std::string_view of);
  bool fits(const Value& value, TypeId want) const;

  const Module& m_;
  TypeTable types_;  ///< a copy, to intern what rules ask for
  std::vector<bool> visible_;
  std::vector<bool> placed_;
  std::vector<bool> owned_;
  std::vector<std::uint32_t> nameSeen_;
  std::uint32_t nameStamp_ = 0;
  std::unordered_map<std::vector<std::uint32_t>, TypeId, OperandTypesHash> opResults_;
  std::unordered_set<std::uint64_t> checkedValues_;
  std::vector<std::string> problems_;
};

}  // namespace couler::ir
