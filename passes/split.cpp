#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "passes/outline.h"
#include "passes/partition.h"
#include "passes/passes.h"
#include "passes/split_graph.h"
#include "support/text.h"

namespace couler::passes {

using namespace ir;  // NOLINT(google-build-using-namespace)

namespace {

constexpr double kMargin = 0.97;     // of the limit, at first: the estimate is not exact
constexpr double kMarginOfGroups = 0.92;  // the same where it leaves out what groups hand on
constexpr int kTries = 5;            // cuts that are emitted and measured
constexpr double kGroups = 1.5;      // of those that there would be if each were full
constexpr double kFelt = 1.03;       // a makespan longer than this
constexpr double kBodyShare = 0.05;  // of the limits that is left of a body cut by itself

class Splitter {
 public:
  Splitter(Module& module, Context& context) : module_(module), context_(context), limits_(*context.limits) {}

  bool run() {
    auto sizes = limits_.measure(module_);
    if (!sizes || sizes->documents.empty()) return false;
    const RegionId body = module_.at(module_.entry).body;
    const Size whole{sizes->documents[0].bytes, countSteps(module_, body),
                     sizes->documents[0].templates};
    if (context_.splitPlan != nullptr) {
      *context_.splitPlan = {};
      context_.splitPlan->parts.push_back(
          {module_.at(module_.entry).name, whole.steps, whole.bytes, whole.templates});
      context_.splitPlan->bytes = whole.bytes;
    }
    if (ratio(whole) <= 1) {
      std::vector<Diagnostic> said;
      Module grouped = module_;
      if (!groupAll(grouped, &said)) return false;
      const auto measured = limits_.measure(grouped);
      if (!measured) return false;
      if (ratio({measured->documents[0].bytes, whole.steps, measured->documents[0].templates}) <=
          1) {
        if (context_.splitPlan != nullptr) {
          context_.splitPlan->groups = groupsOf(grouped);
          context_.splitPlan->secondsWhole = makespan(module_, context_, plan_.workers);
          context_.splitPlan->seconds = makespan(grouped, context_, plan_.workers);
        }
        module_ = std::move(grouped);
        for (Diagnostic& remark : said) context_.diags.take(std::move(remark));
        return true;
      }
    }
    const double seconds = makespan(module_, context_, plan_.workers);
    if (!cutBodies(sizes) || !cutEntry(*sizes, seconds)) {
      if (before_) module_ = std::move(*before_);
      return false;
    }
    plan_.bytes = whole.bytes;
    plan_.secondsWhole = seconds;
    plan_.groups = groupsOf(module_);
    const FuncDef& entry = module_.at(module_.entry);
    context_.diags.take(diagnose<Diag::WorkflowSplit>(
        entry.span, entry.name, countOf(plan_.parts.size() - 1, "part"), sizeText(whole),
        fmt::format("{} and {} between parts, makespan x {:.2f} on {} workers",
                    countOf(static_cast<std::size_t>(plan_.valuesCut), "value"),
                    humanBytes(static_cast<std::uint64_t>(plan_.bytesCut)),
                    plan_.secondsWhole > 0 ? plan_.seconds / plan_.secondsWhole : 1,
                    plan_.workers)));
    if (context_.splitPlan != nullptr) *context_.splitPlan = std::move(plan_);
    return true;
  }

 private:
  struct Size {
    std::int64_t bytes = 0, steps = 0, templates = 0;
  };
  /// Of the limits: more than 1 is over them.
  [[nodiscard]] double ratio(const Size& size) const {
    double most = 0;
    if (limits_.bytes > 0)
      most = static_cast<double>(size.bytes) / static_cast<double>(limits_.bytes);
    if (limits_.steps > 0) {
      most = std::max(most, static_cast<double>(size.steps) / static_cast<double>(limits_.steps));
    }
    if (limits_.templates > 0) {
      most = std::max(most,
                      static_cast<double>(size.templates) / static_cast<double>(limits_.templates));
    }
    return most;
  }
  [[nodiscard]] std::string text(const Size& size) const {
    return fmt::format("{} and {}", countOf(static_cast<std::size_t>(size.steps), "step"),
                       humanBytes(static_cast<std::uint64_t>(size.bytes)));
  }
  /// What of it is over the limits the most.
  [[nodiscard]] std::string sizeText(const Size& size) const {
    if (ratio(size) == ratio({0, size.steps, 0}))
      return countOf(static_cast<std::size_t>(size.steps), "step");
    if (ratio(size) == ratio({0, 0, size.templates})) {
      return countOf(static_cast<std::size_t>(size.templates), "template");
    }
    return humanBytes(static_cast<std::uint64_t>(size.bytes));
  }
  bool refuse(Span at, const std::string& why, std::string hint) {
    context_.diags.take(
        diagnose<Diag::SplitTooLarge>(at, module_.at(module_.entry).name, limits_.engine,
                                      text({limits_.bytes, limits_.steps}), why)
            .note(std::move(hint)));
    return false;
  }

  /// The bodies of a node, and of the workflow that it calls.
  [[nodiscard]] std::vector<RegionId> bodiesOf(const Node& node) const {
    std::vector<RegionId> bodies = module_.regionsOf(node);
    const auto* call = std::get_if<Call>(&node.payload);
    if (call != nullptr && module_.at(call->callee).kind == FuncKind::Workflow &&
        module_.at(call->callee).outlined != Outlined::Part) {
      bodies.push_back(module_.at(call->callee).body);
    }
    return bodies;
  }

  /// Tasks that a workflow of the engine has; a called part counts as one.
  static std::int64_t countSteps(const Module& module, RegionId body) {
    std::int64_t steps = 0;
    std::vector<NodeId> left = module.at(body).nodes;
    while (!left.empty()) {
      const Node& node = module.at(left.back());
      left.pop_back();
      const auto* call = std::get_if<Call>(&node.payload);
      const bool part = call != nullptr && module.at(call->callee).outlined == Outlined::Part;
      if (part || std::holds_alternative<Step>(node.payload)) ++steps;
      if (!part) addInside(module, node, left);
    }
    return steps;
  }

  // ---- bodies that are over the limits by themselves, the innermost first

  bool cutBodies(std::optional<EmittedSizes>& sizes) {
    std::set<RegionId> done;
    for (;;) {
      std::vector<std::pair<RegionId, NodeId>> found;
      findBodies(module_.at(module_.entry).body, *sizes, done, found);
      if (found.empty()) return true;
      if (!before_) before_ = module_;
      for (const auto& [body, owner] : found) cutBody(body, owner, *sizes);
      sizes = limits_.measure(module_);
      if (!sizes) return false;
    }
  }
  void findBodies(RegionId region, const EmittedSizes& sizes, std::set<RegionId>& done,
                  std::vector<std::pair<RegionId, NodeId>>& found) const {
    for (const NodeId id : module_.at(region).nodes) {
      const std::vector<RegionId> bodies = bodiesOf(module_.at(id));
      if (bodies.empty()) continue;
      Size size;
      if (id.index() < sizes.ofNode.size()) {
        size = {sizes.ofNode[id.index()], 0, sizes.templates[id.index()]};
      }
      for (const RegionId body : bodies) size.steps += countSteps(module_, body);
      if (ratio(size) <= kMargin) continue;
      const std::size_t before = found.size();
      for (const RegionId body : bodies) findBodies(body, sizes, done, found);
      if (found.size() != before) continue;
      for (const RegionId body : bodies) {
        if (done.insert(body).second) found.emplace_back(body, id);
      }
    }
  }
  void cutBody(RegionId body, NodeId owner, const EmittedSizes& sizes) {
    spellOutLists(module_, body);
    const BodyGraph whole = graphOf(module_, context_, sizes, body, Outlined::Part);
    PartLimits limits = limitsOf(sizes, kMargin * kMargin);
    limits.parentShare = kBodyShare;
    const Partition made = partition(whole.graph, limits, plan_.workers);
    if (made.parts == 0) return;
    outline(module_, body,
            fmt::format("{}-{}", module_.at(module_.entry).name, labelOf(module_, owner)),
            whole.partOfNodes(made, module_.nodes.size()), made.parts);
  }
  [[nodiscard]] PartLimits limitsOf(const EmittedSizes& sizes, double room) const {
    PartLimits limits;
    limits.bytes = static_cast<std::int64_t>(room * static_cast<double>(limits_.bytes));
    limits.steps = limits_.steps;
    limits.templates = static_cast<std::int64_t>(room * static_cast<double>(limits_.templates));
    limits.parentTasks = limits_.tasks;
    if (limits_.tasks > 0) limits.templatesPerStep = kGroups / static_cast<double>(limits_.tasks);
    limits.baseBytes = sizes.base;
    limits.handOver = limits_.handOver;
    return limits;
  }

  // ---- bodies of more tasks than a template holds

  static std::size_t groupsOf(const Module& module) {
    return static_cast<std::size_t>(
        std::count_if(module.funcs.begin(), module.funcs.end(),
                      [](const FuncDef& func) { return func.outlined == Outlined::Group; }));
  }

  /// Whether any were; what cannot be stays as it is, and the backend says so.
  bool groupAll(Module& module, std::vector<Diagnostic>* said) const {
    if (limits_.tasks == 0) return false;
    bool any = false;
    for (const RegionId body : crowdedBodies(module, limits_.tasks)) {
      SplitPlan plan;
      const std::size_t groups = group(module, context_, limits_, body, plan);
      if (groups == 0) continue;
      any = true;
      if (said == nullptr) continue;
      const NodeId owner = module.at(body).owner;
      said->push_back(diagnose<Diag::StepsGrouped>(
          owner.valid() ? module.at(owner).span : module.at(module.entry).span,
          owner.valid() ? labelOf(module, owner) : module.at(module.entry).name,
          countOf(groups, "group"), limits_.engine,
          countOf(static_cast<std::size_t>(limits_.tasks), "task"),
          plan.secondsWhole > 0 ? plan.seconds / plan.secondsWhole : 1, plan.workers));
    }
    return any;
  }

  // ---- the entry

  bool cutEntry(const EmittedSizes& sizes, double secondsWhole) {
    const RegionId body = module_.at(module_.entry).body;
    spellOutLists(module_, body);
    const BodyGraph whole = graphOf(module_, context_, sizes, body, Outlined::Part);
    if (!eachFits(whole, sizes)) return false;
    std::optional<Cut> best = cutAt(limits_.steps, whole, sizes, kTries);
    if (!best) return false;
    // Groups in parts wait twice. Where that is felt, parts that need no groups may be quicker, if
    // the parent can call so many.
    std::int64_t tasks = 0;
    for (const StepGraph::Vertex& vertex : whole.graph.vertices) tasks += vertex.tasks;
    const bool few = tasks <= limits_.tasks * limits_.tasks / 4;
    if (few && (best->worst > 1 || best->plan.seconds > kFelt * secondsWhole)) {
      std::optional<Cut> small = cutAt(limits_.tasks, whole, sizes, 2);
      const bool better = small && small->worst <= 1 &&
                          (best->worst > 1 || small->plan.seconds < best->plan.seconds);
      if (better) best = std::move(small);
    }
    plan_ = std::move(best->plan);
    if (best->worst > 1) return tooLarge();
    module_ = std::move(best->module);
    return true;
  }

  struct Cut {
    Module module;
    SplitPlan plan;
    double worst = 0;  ///< the most that a document is of the limits
  };
  std::vector<FuncId> cutInto(Module& module, const BodyGraph& whole, const Partition& cut) const {
    if (cut.parts == 0) return {};
    return outline(module, module.at(module.entry).body, module.at(module.entry).name,
                   whole.partOfNodes(cut, module.nodes.size()), cut.parts);
  }
  /// How many times as large as it was reckoned to be a part is at most: what its groups hand on to
  /// each other nobody knew.
  [[nodiscard]] double overBy(const std::vector<double>& reckoned, const std::vector<FuncId>& parts,
                              const EmittedSizes& measured, double room) const {
    double most = 1;
    for (const EmittedSizes::Document& document : measured.documents) {
      const auto at = std::find(parts.begin(), parts.end(), document.func);
      if (at == parts.end()) continue;
      const double share = reckoned[static_cast<std::size_t>(at - parts.begin())] * room;
      const Size size{document.bytes, 0, 0};
      if (share > 0) most = std::max(most, ratio(size) / share);
    }
    return most;
  }
  /// With so many steps a part at most.
  std::optional<Cut> cutAt(std::int64_t steps, const BodyGraph& whole, const EmittedSizes& sizes,
                           int tries) {
    const RegionId body = module_.at(module_.entry).body;
    const NodeId result = resultOf(module_, body);
    const std::int64_t parentBytes =
        result.valid() ? Texts(module_, body).without(result, sizes.results) : 0;
    double room = limits_.tasks > 0 ? kMarginOfGroups : kMargin;
    std::optional<Cut> best;
    for (int i = 0; i < tries; ++i) {
      PartLimits limits = limitsOf(sizes, room);
      limits.steps = steps;
      limits.parentBytes = parentBytes;
      const Partition cut = partition(whole.graph, limits, plan_.workers);
      Cut made{module_, {}, 0};
      const std::vector<FuncId> parts = cutInto(made.module, whole, cut);
      std::int64_t tasks = 0;
      for (const NodeId id : made.module.at(body).nodes) tasks += isTask(made.module, id) ? 1 : 0;
      // No group can stand between the parent and parts: no more of them than it has tasks.
      const bool tooMany = limits_.tasks > 0 && cut.parts > limits_.tasks;
      const bool grouped = !tooMany && groupAll(made.module, nullptr);
      auto measured = limits_.measure(made.module);
      if (!measured && grouped) {
        made.module = module_;
        static_cast<void>(cutInto(made.module, whole, cut));
        measured = limits_.measure(made.module);
      }
      if (!measured) return std::nullopt;
      made.plan = planOf(made.module, *measured, whole.graph, cut);
      for (const SplitPlan::Part& part : made.plan.parts) {
        made.worst = std::max(made.worst, ratio({part.bytes, part.steps, part.templates}));
      }
      if (limits_.tasks > 0 && cut.parts != 0) {
        made.worst =
            std::max(made.worst, static_cast<double>(tasks) / static_cast<double>(limits_.tasks));
      }
      const double worst = made.worst;
      if (!best || worst < best->worst) best = std::move(made);
      if (worst <= 1 || tooMany) break;
      room = std::min(0.95 * room, kMarginOfGroups / overBy(fullness(whole.graph, limits, cut),
                                                            parts, *measured, room));
    }
    best->plan.seconds = makespan(best->module, context_, plan_.workers);
    return best;
  }

  /// Whether each vertex is within the limits; those that stay with the parent are counted there.
  bool eachFits(const BodyGraph& whole, const EmittedSizes& sizes) {
    for (std::size_t i = 0; i < whole.nodes.size(); ++i) {
      const StepGraph::Vertex& vertex = whole.graph.vertices[whole.vertex[i]];
      Size size{vertex.bytes + sizes.base, vertex.steps, vertex.templates};
      if (vertex.group < whole.graph.groupBytes.size())
        size.bytes += whole.graph.groupBytes[vertex.group];
      if (ratio(size) <= 1) continue;
      const NodeId id = whole.nodes[i];
      const bool alone = std::count(whole.vertex.begin(), whole.vertex.end(), whole.vertex[i]) == 1;
      if (!alone && std::holds_alternative<Op>(module_.at(id).payload)) continue;  // by a step
      const bool body = !bodiesOf(module_.at(id)).empty();
      return refuse(
          module_.at(id).span,
          fmt::format("`{}`{} cannot be cut: {}", labelOf(module_, id),
                      alone ? "" : ", with all that it exchanges lists of files with,", text(size)),
          alone && body ? "its steps pass files to each other, or there are too many `for` and "
                          "`if` in it: make several of it"
          : alone       ? "give the step its values as a file, or in fewer and larger ones"
                        : "give each step a folder or one file in place of a list of files");
    }
    return true;
  }
  /// Says which part, or the parent, came out too large at best.
  bool tooLarge() {
    const auto worst = std::max_element(plan_.parts.begin(), plan_.parts.end(),
                                        [this](const SplitPlan::Part& a, const SplitPlan::Part& b) {
                                          return ratio({a.bytes, a.steps, a.templates}) <
                                                 ratio({b.bytes, b.steps, b.templates});
                                        });
    const bool parent = worst + 1 == plan_.parts.end();
    return refuse(
        module_.at(module_.entry).span,
        fmt::format(
            "at best {} would be {}, with {} and {} between them",
            parent ? "the workflow that runs the parts" : fmt::format("part `{}`", worst->name),
            text({worst->bytes, worst->steps}), countOf(plan_.parts.size() - 1, "part"),
            countOf(static_cast<std::size_t>(plan_.valuesCut), "value")),
        "let steps give what many others use as one file");
  }

  SplitPlan planOf(const Module& cut, const EmittedSizes& sizes, const StepGraph& graph,
                   const Partition& partition) const {
    SplitPlan plan;
    SplitPlan::Part parent;
    for (const EmittedSizes::Document& document : sizes.documents) {
      const FuncDef& func = cut.at(document.func);
      SplitPlan::Part part{func.name, countSteps(cut, func.body), document.bytes,
                           document.templates};
      if (func.outlined == Outlined::Part) {
        plan.parts.push_back(std::move(part));
        plan.valuesCut += static_cast<std::int64_t>(cut.types[func.result].fields.size());
      } else {
        parent = std::move(part);
      }
    }
    plan.parts.push_back(std::move(parent));
    plan.bytesCut = cutBytes(graph, partition);
    return plan;
  }

  Module& module_;
  Context& context_;
  const EngineLimits& limits_;
  SplitPlan plan_;
  std::optional<Module> before_;  ///< as it was, where bodies were cut
};

}  // namespace

bool split(Module& module, Context& context) {
  if (context.limits == nullptr || !module.entry.valid()) return false;
  return Splitter(module, context).run();
}

}  // namespace couler::passes
