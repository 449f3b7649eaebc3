#include "driver/priors.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "driver/files.h"
#include "ir/search.h"
#include "lsp/assist/prior.h"
#include "support/hash.h"
#include "support/text.h"

namespace couler::driver {

namespace {

using Json = nlohmann::ordered_json;

/// `#prior` nodes of the entry and of what it calls.
std::vector<ir::NodeId> priorNodes(const ir::Module& module) {
  std::vector<ir::NodeId> found;
  std::vector<bool> seen(module.funcs.size(), false);
  std::vector<ir::RegionId> open;
  const auto enter = [&](ir::FuncId id) {
    if (!id.valid() || seen[id.index()]) return;
    seen[id.index()] = true;
    open.push_back(module.at(id).body);
    if (module.at(id).finally.valid()) open.push_back(module.at(id).finally);
  };
  enter(module.entry);
  while (!open.empty()) {
    const ir::Region& region = module.at(open.back());
    open.pop_back();
    for (const ir::NodeId id : region.nodes) {
      const ir::Node& node = module.at(id);
      for (const ir::RegionId inner : module.regionsOf(node)) open.push_back(inner);
      if (const auto* call = std::get_if<ir::Call>(&node.payload)) enter(call->callee);
      const auto* op = std::get_if<ir::Op>(&node.payload);
      if (op != nullptr && op->op == ir::Builtin::TunePrior) found.push_back(id);
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// A space of a `#prior`, whose bounds are constants.
std::optional<ir::Value> spaceValue(const ir::Module& module, ir::NodeId id) {
  if (const ir::Value* value = module.constant(id)) return *value;
  const ir::Node& node = module.at(id);
  const auto operands = module.operands(node);
  ir::NamedItems fields;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const ir::Value* value = module.constant(operands[i]);
    if (value == nullptr) return std::nullopt;
    fields.emplace_back(module.types[node.type].fields[i].name, *value);
  }
  return ir::Value::record(std::move(fields));
}

/// What was asked before, a file a question.
class Kept {
 public:
  Kept(const std::string& store, const std::vector<assist::Message>& question) {
    Hasher hasher;
    for (const assist::Message& one : question) {
      hasher.field(one.role);
      hasher.field(one.text);
    }
    path_ = (std::filesystem::path(store) / "priors" / (hasher.finish().hex() + ".json")).string();
  }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool isThere() const {
    std::error_code ignored;
    return std::filesystem::exists(path_, ignored);
  }
  /// Nothing where the file is not what `write` wrote.
  std::optional<assist::Points> read(const ir::search::Space& space, std::size_t most,
                                     std::string& model) const {
    const ReadResult file = readFile(path_);
    const Json json = Json::parse(file.text, nullptr, false);
    if (!json.is_object() || !json.value("model", Json()).is_string()) return std::nullopt;
    model = json["model"];
    assist::Points points = assist::readPoints(file.text, space, most);
    if (!points.problem.empty() || !points.refused.empty()) return std::nullopt;
    return points;
  }
  [[nodiscard]] std::string write(const std::vector<assist::Message>& question,
                                  const assist::Points& points, const std::string& model) const {
    Json json{{"model", model}, {"points", Json::array()}, {"asked", Json::array()}};
    for (const ir::Value& point : points.points) {
      json["points"].push_back(Json::parse(ir::toJson(point)));
    }
    for (const assist::Message& one : question) json["asked"].push_back(one.text);
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), error);
    if (error) return error.message();
    return writeFile(path_, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  }

 private:
  std::string path_;
};

class Asking {
 public:
  Asking(ir::Module& module, const std::string& store, DiagnosticSink& diags)
      : module_(module), store_(store), diags_(diags) {}

  std::optional<Prior> take(ir::NodeId id) {
    const std::vector<ir::NodeId> operands = [&] {
      const auto all = module_.operands(module_.at(id));
      return std::vector<ir::NodeId>(all.begin(), all.end());
    }();
    const ir::Value* card = module_.constant(operands[1]);
    ir::NamedItems sample;
    for (const auto& field : module_.types[module_.types[module_.at(id).type].element].fields) {
      sample.emplace_back(field.name, ir::Value());
    }
    std::vector<ir::Value> values;
    for (std::size_t i = 2; i < operands.size(); ++i) {
      auto value = spaceValue(module_, operands[i]);
      if (!value) return std::nullopt;
      values.push_back(std::move(*value));
    }
    std::vector<const ir::Value*> spaces;
    for (const ir::Value& value : values) spaces.push_back(&value);
    const auto space = ir::search::Space::of(ir::Value::record(std::move(sample)), spaces);
    // What is wrong with a space is said when it is searched.
    if (card == nullptr || std::holds_alternative<std::string>(space)) return std::nullopt;
    return propose(id, *card, std::get<ir::search::Space>(space));
  }

 private:
  Prior propose(ir::NodeId id, const ir::Value& card, const ir::search::Space& space) {
    Prior prior;
    prior.search = *card.field("name")->as<std::string>();
    const auto most = static_cast<std::size_t>(*card.field("points")->as<std::int64_t>());
    const Span at = module_.at(id).span;
    const std::vector<assist::Message> question = assist::askForPoints(card, space);
    const Kept kept(store_, question);
    std::optional<assist::Points> points;
    if (kept.isThere()) {
      points = kept.read(space, most, prior.model);
      if (!points) warn(at, prior, fmt::format("`{}` is damaged: delete it", kept.path()));
      prior.kept = points.has_value();
    } else {
      points = ask(question, space, most, at, prior);
      if (points) {
        if (const std::string why = kept.write(question, *points, prior.model); !why.empty()) {
          diags_.take(diagnose<Diag::CannotWriteFile>({}, kept.path(), why));
        }
      }
    }
    if (points) put(id, std::move(points->points), prior);
    return prior;
  }

  std::optional<assist::Points> ask(const std::vector<assist::Message>& question,
                                    const ir::search::Space& space, std::size_t most, Span at,
                                    Prior& prior) {
    if (!configured_) configured_ = assist::modelFromEnvironment();
    if (!configured_->problem.empty()) warn(at, prior, configured_->problem);
    if (configured_->model == nullptr) return std::nullopt;
    assist::Model& model = *configured_->model;
    const assist::Reply reply = model.ask(question);
    if (!reply.problem.empty()) {
      warn(at, prior, reply.problem);
      return std::nullopt;
    }
    assist::Points points = assist::readPoints(reply.text, space, most);
    for (const auto& [number, why] : points.refused) {
      diags_.take(diagnose<Diag::PriorPoint>(at, number, model.name(), prior.search, why));
    }
    if (!points.problem.empty()) {
      warn(at, prior, fmt::format("`{}`: {}", model.name(), points.problem));
      return std::nullopt;
    }
    prior.model = model.name();
    return points;
  }

  void warn(Span at, const Prior& prior, std::string_view why) {
    diags_.take(diagnose<Diag::NoPrior>(at, prior.search, why));
  }

  void put(ir::NodeId id, ir::ListItems points, Prior& prior) {
    prior.points = points.size();
    const ir::ConstId value = module_.intern(ir::Value::list(std::move(points)));
    module_.at(id).payload = ir::Const{value};
    module_.setEdges(id, {}, {});
    module_.updateAttributes(id);
  }

  ir::Module& module_;
  const std::string& store_;
  DiagnosticSink& diags_;
  std::optional<assist::Configured> configured_;
};

}  // namespace

std::vector<Prior> takePriors(ir::Module& module, const std::string& store, DiagnosticSink& diags) {
  std::vector<Prior> priors;
  Asking asking(module, store, diags);
  for (const ir::NodeId id : priorNodes(module)) {
    if (auto prior = asking.take(id)) priors.push_back(std::move(*prior));
  }
  return priors;
}

std::string priorText(const Prior& prior) {
  if (prior.points == 0) return fmt::format("{}: no point is proposed\n", prior.search);
  return fmt::format("{}: first {} that `{}` proposed{}\n", prior.search,
                     countOf(prior.points, "point"), prior.model,
                     prior.kept ? ", as kept in the store" : "");
}

}  // namespace couler::driver
