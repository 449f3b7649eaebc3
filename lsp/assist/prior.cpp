#include "lsp/assist/prior.h"

#include <algorithm>
#include <cmath>
#include <variant>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "support/text.h"

namespace couler::assist {

namespace {

using Json = nlohmann::ordered_json;
using ir::search::Dimension;

constexpr std::string_view kTask =
    R"(You propose the first points of a hyperparameter search. Each of them is then trained for real, and
the search goes on from what that gives. The next message describes the search as JSON: what is run
and what of it is to be maximized or minimized, the data, the model, and the parameters with their
spaces.

Reply with one JSON object and nothing else, in this form:
{"points": [{"<parameter>": <value>, ...}, ...]}

Every point gives every parameter of the search a value from its space: a whole number from "min" to
"max", a number from "min" to below "below", or one of the items of "values" exactly as it stands
there. Where "only_if" does not hold for the other values, a value is needed too, and is ignored. All
points are different. The one that you expect to be best comes first; let the others differ from it in
what you are least sure of.)";

const std::string& text(const ir::Value& record, std::string_view field) {
  return *record.field(field)->as<std::string>();
}

void addText(Json& to, const char* key, const std::string& words) {
  if (!words.empty()) to[key] = words;
}

Json spaceOf(const Dimension& d) {
  Json space;
  if (d.kind == Dimension::Kind::Choice) {
    for (const ir::Value& choice : *d.choices) {
      space["values"].push_back(Json::parse(ir::toJson(choice)));
    }
    return space;
  }
  if (d.kind == Dimension::Kind::Int) {
    space = {{"type", "int"},
             {"min", static_cast<std::int64_t>(d.low)},
             {"max", static_cast<std::int64_t>(d.high) - 1}};
  } else {
    space = {{"type", "float"}, {"min", d.low}, {"below", d.high}};
  }
  space["scale"] = d.log ? "logarithmic" : "linear";
  return space;
}

std::string shown(const Json& value) {
  return shortened(value.dump(-1, ' ', false, Json::error_handler_t::replace), 40);
}

/// The value of a space that `given` says; or why it is none.
std::variant<ir::Value, std::string> valueIn(const Dimension& d, const Json& given) {
  switch (d.kind) {
    case Dimension::Kind::Choice: {
      for (const ir::Value& choice : *d.choices) {
        if (Json::parse(ir::toJson(choice)) == given) return choice;
      }
      return fmt::format("is {}, which is not one of its values", shown(given));
    }
    case Dimension::Kind::Int: {
      if (!given.is_number_integer()) return fmt::format("is {}, which is not an `int`", shown(given));
      const auto value = given.get<double>();
      if (value < d.low || value >= d.high) break;
      return ir::Value(given.get<std::int64_t>());
    }
    case Dimension::Kind::Float: {
      if (!given.is_number()) return fmt::format("is {}, which is not a `float`", shown(given));
      const auto value = given.get<double>();
      if (!std::isfinite(value) || value < d.low || value >= d.high) break;
      return ir::Value(value);
    }
  }
  return fmt::format("is {}, outside {} .. {}", shown(given), d.low, d.high);
}

std::variant<ir::Value, std::string> pointIn(const ir::search::Space& space, const Json& given) {
  if (!given.is_object()) return fmt::format("{} is not an object", shown(given));
  const auto names = space.names();
  ir::NamedItems fields;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto found = given.find(names[i]);
    if (found == given.end()) return fmt::format("it gives no `{}`", names[i]);
    auto value = valueIn(space.dimensions()[i], *found);
    if (auto* why = std::get_if<std::string>(&value)) return fmt::format("`{}` {}", names[i], *why);
    fields.emplace_back(names[i], std::move(std::get<ir::Value>(value)));
  }
  for (const auto& [name, value] : given.items()) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      return fmt::format("it gives {}, which is not searched", shown(Json(name)));
    }
  }
  return ir::Value::record(std::move(fields));
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// What stands between fences, if all does.
std::string_view unfenced(std::string_view text) {
  constexpr std::string_view kFence = "```";
  text = trimmed(text);
  if (!text.starts_with(kFence) || !text.ends_with(kFence) || text.size() < 6) return text;
  const std::size_t line = text.find('\n');
  if (line == std::string_view::npos) return text;
  return trimmed(text.substr(line, text.size() - kFence.size() - line));
}

}  // namespace

std::vector<Message> askForPoints(const ir::Value& card, const ir::search::Space& space) {
  Json search;
  search["run"] = text(card, "name");
  addText(search, "description", text(card, "doc"));
  search[*card.field("maximize")->as<bool>() ? "maximize" : "minimize"] = text(card, "objective");
  addText(search, "objective_description", text(card, "objective_doc"));
  search["data"] = text(card, "data");
  search["model"] = text(card, "model");
  const ir::ListItems& params = card.field("params")->items();
  for (std::size_t i = 0; i < params.size(); ++i) {
    Json param{{"name", space.names()[i]}};
    addText(param, "description", text(params[i], "doc"));
    param.update(spaceOf(space.dimensions()[i]));
    addText(param, "only_if", text(params[i], "when"));
    search["parameters"].push_back(std::move(param));
  }
  search["points_to_propose"] = *card.field("points")->as<std::int64_t>();
  return {{"system", std::string(kTask)},
          {"user", search.dump(2, ' ', false, Json::error_handler_t::replace)}};
}

Points readPoints(std::string_view answer, const ir::search::Space& space, std::size_t most) {
  Points made;
  const Json json = Json::parse(unfenced(answer), nullptr, false);
  if (!json.is_object() || !json.contains("points") || !json["points"].is_array()) {
    made.problem = "its answer is not the JSON object that was asked for";
    return made;
  }
  std::size_t number = 0;
  for (const Json& given : json["points"]) {
    ++number;
    if (number > most) {
      made.refused.emplace_back(number, fmt::format("{} were asked for", most));
      break;
    }
    auto point = pointIn(space, given);
    if (auto* why = std::get_if<std::string>(&point)) {
      made.refused.emplace_back(number, std::move(*why));
      continue;
    }
    auto& value = std::get<ir::Value>(point);
    if (std::find(made.points.begin(), made.points.end(), value) != made.points.end()) {
      made.refused.emplace_back(number, "it is there already");
    } else {
      made.points.push_back(std::move(value));
    }
  }
  if (made.points.empty()) made.problem = "none of the points that it proposes is one of the search";
  return made;
}

}  // namespace couler::assist
