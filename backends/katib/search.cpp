#include "backends/katib/search.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "backends/launcher.h"
#include "ir/search.h"

namespace couler::backends::katib {
namespace {

using B = ir::Builtin;
using ir::NodeId;
using ir::RegionId;
using ir::TypeKind;

constexpr std::string_view kElsewhere =
    "`couler run` does all of `tune`; Argo does `grid`, `random`, `sobol` and `asha`";

/// Katib puts a value into the text of the template as it is, so it may hold nothing that JSON or
/// Kubernetes reads.
bool isPlain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c >= ' ' && c <= '~' && c != '"' && c != '\\' && c != '$';
  });
}

std::string numberText(double value) { return ir::toJson(ir::Value(value)); }

class SearchReader {
 public:
  SearchReader(const ir::Module& module, const EmitOptions& options, const Settings& settings,
               DiagnosticSink& diags)
      : module_(module), options_(options), settings_(settings), diags_(diags) {}

  std::optional<Search> run() {
    if (!module_.entry.valid()) {
      refuse({}, "a program without a workflow", "declare one: `workflow main() { … }`");
      return std::nullopt;
    }
    const ir::FuncDef& entry = module_.at(module_.entry);
    at_ = entry.span;
    if (entry.finally.valid()) refuse(entry.span, "`finally`", "run it after the experiment");
    collect(entry.body);
    if (steps_.empty() || !points_.valid()) {
      if (ok_)
        refuse(entry.span, "a workflow that is not one `tune`",
               "call nothing but `tune task(…)` in it");
      return std::nullopt;
    }
    at_ = node(points_).span;
    trials();
    spaces();
    method();
    objective();
    results(entry);
    if (!ok_) return std::nullopt;
    return std::move(search_);
  }

 private:
  void refuse(Span at, std::string_view what, std::string_view note) {
    ok_ = false;
    Diagnostic d = diagnose<Diag::BackendUnsupported>(at, "katib", what);
    d.note(std::string(note));
    diags_.take(std::move(d));
  }
  void lossy(std::string_view what, std::string note) {
    diags_.take(diagnose<Diag::BackendLossy>(at_, "katib", what).note(std::move(note)));
  }
  [[nodiscard]] const ir::Node& node(NodeId id) const { return module_.at(id); }
  [[nodiscard]] std::span<const NodeId> operands(NodeId id) const {
    return module_.operands(node(id));
  }
  [[nodiscard]] const ir::Op* opOf(NodeId id) const { return module_.payload<ir::Op>(id); }

  /// The parts of the search, wherever they stand.
  void collect(RegionId root) {
    std::vector<RegionId> left{root};
    while (!left.empty()) {
      const RegionId region = left.back();
      left.pop_back();
      for (const NodeId id : module_.at(region).nodes) {
        const ir::Node& n = node(id);
        if (std::holds_alternative<std::monostate>(n.payload)) continue;
        if (const auto* op = std::get_if<ir::Op>(&n.payload)) decided(id, op->op);
        if (std::holds_alternative<ir::Step>(n.payload)) step(id);
        if (std::holds_alternative<ir::Call>(n.payload)) {
          refuse(n.span, "a workflow that is tuned", "tune a task");
        }
        for (const RegionId inner : module_.regionsOf(n)) left.push_back(inner);
      }
    }
    for (const ir::Node& n : module_.nodes) {  // points in which a condition has chosen
      const auto* loop = std::get_if<ir::For>(&n.payload);
      if (loop == nullptr || !points_.valid()) continue;
      if (node(module_.at(loop->body).results[0]).type != pointType()) continue;
      refuse(n.span, "a space that is searched only where a condition holds", kElsewhere);
      return;
    }
  }

  void decided(NodeId id, B op) {
    if (op == B::TuneBest) best_ = id;
    if (op == B::TunePromoted) promoted_ = id;
    if (op != B::TuneGrid && op != B::TuneRandom && op != B::TuneSobol && op != B::TuneNext) return;
    if (points_.valid()) refuse(node(id).span, "a second `tune`", "make a workflow of each");
    points_ = id;
  }

  void step(NodeId id) {
    const NodeId owner = module_.at(node(id).region).owner;
    const bool trial = owner.valid() && module_.payload<ir::Try>(owner) != nullptr &&
                       node(owner).region != module_.at(module_.entry).body;
    const ir::TaskId task = std::get<ir::Step>(node(id).payload).task;
    if (!trial || (!steps_.empty() && task != search_.task)) {
      return refuse(node(id).span,
                    fmt::format("a step beside the trials, `{}`", module_.at(task).name),
                    "katib runs trials and nothing else: a workflow for Argo may do the rest");
    }
    search_.task = task;
    steps_.push_back(id);
  }

  [[nodiscard]] ir::TypeId pointType() const {
    return node(operands(points_)[ir::search::drawn::kSample]).type;
  }

  // ---- what a trial gets
  void trials() {
    const ir::TaskDef& task = module_.at(search_.task);
    for (const ir::TypeField& field : module_.types[pointType()].fields) {
      search_.parameters.emplace_back();
      search_.parameters.back().name = field.name;
    }
    for (std::size_t i = 0; i < task.params.size(); ++i) {
      search_.given.push_back(given(operands(steps_[0])[i], task.params[i]));
      if (promoted_.valid()) resource(i);
    }
  }

  Given given(NodeId operand, const ir::ParamDef& param) {
    NodeId id = operand;
    const auto* cast = opOf(id);
    const bool real = cast != nullptr && cast->op == B::IntToFloat;
    if (real) id = operands(id)[0];
    const ir::Value* value = module_.constant(id);
    if (const auto* input = module_.payload<ir::Param>(id);
        input != nullptr && node(id).region == module_.at(module_.entry).body) {
      const ir::ParamDef& def = module_.at(module_.entry).params[input->index];
      for (const auto& [name, given] : options_.arguments) {
        if (name == def.name) value = &given;
      }
      if (value == nullptr && def.fallback.valid()) value = &module_.at(def.fallback);
      if (value == nullptr) {
        refuse(def.span, fmt::format("input `{}` without a value", def.name),
               fmt::format("give it when you build: `{}=…`", def.name));
        return {ir::Value(), 0};
      }
    }
    if (module_.types.holds(param.type, TypeKind::Secret)) {
      refuse(at_, fmt::format("a secret, `{}`", param.name),
             "have the task read it from where the cluster keeps it");
      return {ir::Value(), 0};
    }
    if (value != nullptr) {
      const bool file = module_.types.holds(param.type, TypeKind::File) ||
                        module_.types.holds(param.type, TypeKind::Dir);
      if (file && !value->isNone()) {
        refuse(at_, fmt::format("a file as the input `{}` of a trial", param.name),
               "put it into the image, or have the task fetch it; Argo passes files");
      }
      const auto* whole = value->as<std::int64_t>();
      if (real && whole != nullptr) return {ir::Value(static_cast<double>(*whole)), 0};
      return {*value, 0};
    }
    if (const auto* field = module_.payload<ir::Field>(id)) {
      const std::string_view name = module_.at(field->name);
      const NodeId object = operands(id)[0];
      for (std::size_t i = 0; node(object).type == pointType() && i < search_.parameters.size();
           ++i) {
        if (search_.parameters[i].name == name) return {std::nullopt, i};
      }
    }
    refuse(node(operand).span, fmt::format("`{}`, which is worked out for each trial", param.name),
           "search it, or give it a constant");
    return {ir::Value(), 0};
  }

  /// The parameter that is not the same on all rungs.
  void resource(std::size_t param) {
    std::set<std::int64_t> amounts;
    for (const NodeId step : steps_) {
      const ir::Value* value = module_.constant(operands(step)[param]);
      const auto* amount = value == nullptr ? nullptr : value->as<std::int64_t>();
      if (amount != nullptr) amounts.insert(*amount);
      if (amount == nullptr && operands(step)[param] != operands(steps_[0])[param] &&
          module_.types.holds(module_.at(search_.task).params[param].type, TypeKind::File)) {
        return refuse(at_, "`asha` whose trials resume from checkpoints", kElsewhere);
      }
    }
    if (amounts.size() < 2) return;
    const std::int64_t most = *amounts.rbegin();
    Parameter made;
    made.name = module_.at(search_.task).params[param].name;
    made.type = "int";
    made.low = fmt::format("{}", *amounts.begin());
    made.high = fmt::format("{}", most);
    if (*amounts.begin() != 1) {
      refuse(at_, fmt::format("`asha` that begins with {} of `{}`", *amounts.begin(), made.name),
             "katib's `hyperband` begins with 1: leave `min` out");
    }
    search_.given[param] = {std::nullopt, search_.parameters.size()};
    search_.parameters.push_back(std::move(made));
    most_ = most;
  }

  // ---- spaces
  void spaces() {
    const ir::Node& n = node(points_);
    const std::size_t drawn = module_.types[pointType()].fields.size();
    const auto all = module_.operands(n);
    const ir::Value* points = std::get<ir::Op>(n.payload).op == B::TuneGrid
                                  ? module_.constant(all[ir::search::every::kPoints])
                                  : nullptr;
    for (std::size_t i = 0; i < drawn; ++i) {
      Parameter& p = search_.parameters[i];
      const ir::Value* space = module_.constant(all[all.size() - drawn + i]);
      if (space == nullptr) {
        refuse(at_, fmt::format("a space of `{}` that depends on inputs", p.name),
               "write it with constants");
        continue;
      }
      if (points != nullptr) {
        gridValues(p, *space, *points);
      } else if (space->as<ir::ListValue>() != nullptr) {
        choices(p, space->items());
      } else {
        range(p, *space);
      }
    }
  }

  void range(Parameter& p, const ir::Value& space) {
    const ir::Value& low = *space.field("low");
    const ir::Value& high = *space.field("high");
    p.log = *space.field("log")->as<bool>();
    if (const auto* first = low.as<std::int64_t>()) {
      p.type = "int";
      p.low = fmt::format("{}", *first);
      p.high = fmt::format("{}", *high.as<std::int64_t>() - 1);
      return;
    }
    p.type = "double";
    p.low = numberText(*low.as<double>());
    p.high = numberText(*high.as<double>());
  }

  void choices(Parameter& p, const ir::ListItems& items) {
    bool numbers = true;
    for (const ir::Value& item : items) {
      numbers = numbers && (item.as<std::int64_t>() != nullptr || item.as<double>() != nullptr);
      const bool scalar = numbers || item.as<bool>() != nullptr ||
                          item.as<std::string>() != nullptr || item.as<ir::EnumCase>() != nullptr;
      const std::string text = ir::toText(item);
      if (!scalar || !isPlain(text)) {
        return refuse(
            at_, fmt::format("`{}` among the values of `{}`", text.substr(0, 40), p.name),
            "katib takes numbers, truths, and texts of printable ASCII without `\"`, `\\` and `$`");
      }
      p.quoted =
          p.quoted || item.as<std::string>() != nullptr || item.as<ir::EnumCase>() != nullptr;
      p.list.push_back(text);
    }
    p.type = numbers ? "discrete" : "categorical";
  }

  /// Katib's own steps go by differences; ours also by ratios. So the values are written out.
  void gridValues(Parameter& p, const ir::Value& space, const ir::Value& points) {
    const ir::Value sample = ir::Value::record({{p.name, ir::Value()}});
    const ir::Value* const spaces[] = {&space};
    const auto made = ir::search::Space::of(sample, spaces);
    if (const auto* wrong = std::get_if<std::string>(&made)) return refuse(at_, *wrong, "");
    const auto values =
        ir::search::grid(std::get<ir::search::Space>(made), *points.as<std::int64_t>());
    if (const auto* wrong = std::get_if<std::string>(&values)) return refuse(at_, *wrong, "");
    ir::ListItems items;
    for (const ir::Value& point : std::get<std::vector<ir::Value>>(values))
      items.push_back(*point.field(p.name));
    choices(p, items);
  }

  // ---- the method
  [[nodiscard]] std::int64_t number(std::size_t operand) {
    const ir::Value* value = module_.constant(operands(points_)[operand]);
    if (const auto* whole = value == nullptr ? nullptr : value->as<std::int64_t>()) return *whole;
    refuse(at_, "a setting of `tune` that depends on inputs", "write a constant");
    return 0;
  }

  void method() {
    search_.parallel = settings_.parallelism;
    switch (std::get<ir::Op>(node(points_).payload).op) {
      case B::TuneGrid:
        search_.algorithm = "grid";
        search_.trials = 1;
        for (const Parameter& p : search_.parameters) {
          const auto values = static_cast<std::int64_t>(p.list.size());
          search_.trials = std::min<std::int64_t>(
              search_.trials * std::max<std::int64_t>(values, 1), 0x7fffffff);
        }
        return;
      case B::TuneNext: {
        namespace at = ir::search::next;
        search_.algorithm = "tpe";
        prior();
        search_.trials = number(at::kTrials);
        search_.settings = {{"random_state", fmt::format("{}", number(at::kSeed))}};
        if (number(at::kStartup) != 10)
          lossy("`startup`",
                "katib's `tpe` draws points at random until it has enough to learn from");
        if (const std::int64_t parallel = number(at::kParallel); parallel > 1)
          search_.parallel = parallel;
        return;
      }
      case B::TuneRandom:
        search_.algorithm = "random";
        prior();
        search_.trials = number(ir::search::drawn::kTrials);
        search_.settings = {{"random_state", fmt::format("{}", number(ir::search::drawn::kSeed))}};
        return;
      default:
        prior();
        if (promoted_.valid()) return hyperband();
        search_.algorithm = "sobol";
        search_.trials = number(ir::search::drawn::kTrials);
        if (number(ir::search::drawn::kSeed) != 0)
          lossy("the `seed` of `sobol`", "katib always gives the same points");
    }
  }

  /// Points that a language model proposed.
  void prior() {
    static_assert(ir::search::drawn::kFirst == std::size_t{ir::search::next::kFirst});
    const ir::Value* first = module_.constant(operands(points_)[ir::search::drawn::kFirst]);
    if (first != nullptr && !first->items().empty())
      lossy("the points of a prior", "katib draws all points itself");
  }

  /// Katib's `hyperband` runs all brackets, of so many trials as the most of the resource asks for.
  void hyperband() {
    const ir::Value* reduction =
        module_.constant(operands(promoted_)[ir::search::promoted::kReduction]);
    const auto* whole = reduction == nullptr ? nullptr : reduction->as<std::int64_t>();
    const std::int64_t eta = whole == nullptr ? 0 : *whole;
    if (eta < 2 || most_ == 0) return refuse(at_, "this `asha`", kElsewhere);
    std::int64_t rungs = 0;
    for (std::int64_t amount = most_; amount >= eta; amount /= eta) ++rungs;
    for (std::int64_t bracket = rungs; bracket >= 0; --bracket) {
      double starters =
          std::ceil(static_cast<double>(rungs + 1) / static_cast<double>(bracket + 1) *
                    std::pow(static_cast<double>(eta), static_cast<double>(bracket)));
      if (bracket == rungs) search_.parallel = static_cast<std::int64_t>(starters);
      for (std::int64_t rung = 0; rung <= bracket; ++rung) {
        search_.trials += static_cast<std::int64_t>(starters);
        starters = std::floor(starters / static_cast<double>(eta));
      }
    }
    search_.algorithm = "hyperband";
    search_.settings = {{"resource_name", search_.parameters.back().name},
                        {"eta", fmt::format("{}", eta)},
                        {"r_l", fmt::format("{}", most_)}};
    lossy("`trials` and `brackets` of `asha`",
          fmt::format("katib's `hyperband` decides how many there are: {} trials, {} at once",
                      search_.trials, search_.parallel));
  }

  // ---- what comes of it
  void objective() {
    const auto* scores =
        best_.valid() ? module_.payload<ir::Field>(operands(best_)[ir::search::best::kScores])
                      : nullptr;
    const ir::Value* maximize =
        best_.valid() ? module_.constant(operands(best_)[ir::search::best::kMaximize]) : nullptr;
    if (scores == nullptr || maximize == nullptr)
      return refuse(at_, "a search whose best trial nothing uses", "return it");
    search_.maximize = *maximize->as<bool>();
    search_.objective = module_.at(scores->name);
    for (const ir::OutputDef& output : module_.at(search_.task).outputs) {
      if (isNumber(output) && output.name != search_.objective)
        search_.others.push_back(output.name);
    }
  }

  [[nodiscard]] bool isNumber(const ir::OutputDef& output) const {
    const TypeKind kind = module_.types.kind(output.type);
    return output.from != ir::OutputFrom::Path &&
           (kind == TypeKind::Int || kind == TypeKind::Float);
  }

  /// Katib tells the best trial's parameters and metrics, and nothing else of it.
  void results(const ir::FuncDef& entry) {
    const std::vector<ir::TypeField>& fields = module_.types[entry.result].fields;
    const NodeId record = module_.at(entry.body).results[0];
    const auto values = operands(record);
    for (std::size_t i = 0; opOf(record) != nullptr && i < values.size(); ++i) {
      NodeId id = values[i];
      for (;;) {
        const auto* op = opOf(id);
        const auto* field = module_.payload<ir::Field>(id);
        if (field != nullptr) told(fields[i].name, module_.at(field->name));
        const bool through =
            field != nullptr || (op != nullptr && (op->op == B::Index || op->op == B::Unwrap));
        if (!through) break;
        id = operands(id)[0];
      }
      const auto* op = opOf(id);
      if (op == nullptr || id == points_ || op->op == B::TuneBest) continue;
      refuse(node(values[i]).span,
             fmt::format("output `{}`, which is computed from the best trial", fields[i].name),
             "give a score or a parameter of it as it is");
    }
  }

  void told(std::string_view output, std::string_view name) {
    for (const ir::OutputDef& made : module_.at(search_.task).outputs) {
      if (made.name != name || isNumber(made)) continue;
      refuse(
          at_, fmt::format("output `{}`, the `{}` of the best trial", output, name),
          "katib keeps the numbers of a trial alone; Argo with `artifacts` keeps its files, too");
    }
  }

  const ir::Module& module_;
  const EmitOptions& options_;
  const Settings& settings_;
  DiagnosticSink& diags_;
  bool ok_ = true;
  Span at_;
  Search search_;
  std::vector<NodeId> steps_;  ///< of trials; one a rung
  NodeId points_, best_, promoted_;
  std::int64_t most_ = 0;  ///< of the resource
};

}  // namespace

std::optional<Search> readSearch(const ir::Module& module, const EmitOptions& options,
                                 const Settings& settings, DiagnosticSink& diags) {
  return SearchReader(module, options, settings, diags).run();
}

std::string placeholder(std::string_view name) {
  return fmt::format("${{trialParameters.{}}}", name);
}

std::optional<std::vector<Piece>> wordOf(const ir::Module& module, const Search& search,
                                         ir::NodeId id) {
  const ir::TaskDef& task = module.at(search.task);
  const auto known = [](std::string text) {
    return std::vector<Piece>{{std::move(text), std::nullopt}};
  };
  if (const ir::Value* value = module.constant(id)) return known(ir::toText(*value));
  if (const auto* param = module.payload<ir::Param>(id)) {
    if (param->index < search.given.size()) {
      const Given& given = search.given[param->index];
      if (given.value) return known(ir::toText(*given.value));
      return std::vector<Piece>{{{}, given.parameter}};
    }
    std::size_t next = search.given.size();
    for (const ir::OutputDef& output : task.outputs) {
      if (output.from == ir::OutputFrom::Path && next++ == param->index)
        return known(outputPath(output));
    }
    return std::nullopt;
  }
  const auto* op = module.payload<ir::Op>(id);
  if (op == nullptr || (op->op != ir::Builtin::Concat && op->op != ir::Builtin::ToString))
    return std::nullopt;
  std::vector<Piece> all;
  for (const ir::NodeId operand : module.operands(module.at(id))) {
    auto part = wordOf(module, search, operand);
    if (!part) return std::nullopt;
    all.insert(all.end(), part->begin(), part->end());
  }
  return all;
}

}  // namespace couler::backends::katib
