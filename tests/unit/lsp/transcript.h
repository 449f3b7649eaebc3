#pragma once

#include <set>
#include <sstream>

#include "tests/unit/lsp/client.h"

namespace couler::lsp::testing {

/// A session in a file: documents, what the client sends, and what the server answers.
///
///     // Comments, up to the first section.
///     == disk tasks.cwl         a file of the workspace; the text follows
///     == open main.cwl          the same, opened by the client
///     == change main.cwl        all of its text is another now (`textDocument/didChange` has ranges)
///     -> textDocument/hover «1»
///     <- { "contents": … }      what came since; written by the test
///
/// `«1»` in a text marks a place and does not belong to it. Behind a method stand a place, a range
/// (`«1-2»`) or a document, then more parameters as JSON, in which `"«1»"` and `"«1-2»"` are
/// positions and ranges, and `root:` is the URI of the folder. In answers positions are `line:character`,
/// both from 0. A first `-> initialize` gives the client's capabilities; this client's server foresees that all steps of
/// an entry run, and takes `oops` in a script for a syntax error.
class Transcript {
 public:
  /// Plays the text and gives it with the answers that came.
  std::string play(const std::string& text) {
    std::istringstream in(text);
    std::string line;
    std::vector<std::string> section;
    while (std::getline(in, line)) {
      const bool begins = line.starts_with("== ") || line.starts_with("-> ") || line.starts_with("<- ");
      if (begins && !section.empty()) step(std::exchange(section, {}));
      section.push_back(line);
    }
    if (!section.empty()) step(section);
    return out_;
  }
  /// The methods that were sent either way.
  [[nodiscard]] const std::set<std::string>& methods() const { return methods_; }

 private:
  static ServerOptions withOthers() {
    ServerOptions options;
    options.foresee = [](const std::string&, const ir::Module& module, const SourceManager&) {
      Forecast all{module.entry.valid() ? module.at(module.entry).name : "", {}};
      for (const ir::Node& node : module.nodes) {
        if (std::holds_alternative<ir::Step>(node.payload)) all.steps.push_back({node.span, true, -1});
      }
      return std::vector<Forecast>{all};
    };
    options.checkScripts = [](const std::vector<Script>& scripts) {
      std::vector<std::optional<ScriptProblem>> found;
      for (const Script& script : scripts) {
        const std::size_t at = script.text.find("oops");
        const auto column = static_cast<std::uint32_t>(at) + 1;
        found.emplace_back();
        if (at != std::string_view::npos) found.back() = ScriptProblem{1, column, column + 4, "no oops"};
      }
      return found;
    };
    return options;
  }

  struct Mark {
    std::string document;
    Position at;
  };

  void step(std::vector<std::string> section) {
    const std::string head = section.front();
    if (head.starts_with("<- ")) return;
    while (section.size() > 1 && section.back().empty()) section.pop_back();
    if (!out_.empty()) out_ += '\n';
    for (const std::string& line : section) out_ += line + '\n';
    std::istringstream words(head);
    std::string kind, what;
    words >> kind >> what;
    std::string body;
    for (std::size_t i = 1; i < section.size(); ++i) body += section[i] + '\n';
    if (kind == "==") {
      document(what, rest(words), body);
    } else if (kind == "->") {
      message(what, rest(words) + "\n" + body);
    }
    if (client_) answers();
  }
  static std::string rest(std::istringstream& words) {
    std::string text;
    std::getline(words >> std::ws, text);
    return text;
  }

  void document(const std::string& what, const std::string& name, const std::string& marked) {
    const std::string text = unmarked(name, marked);
    if (what == "disk") {
      folder_.write(name, text);
    } else if (what == "open") {
      methods_.insert("textDocument/didOpen");
      client().open(path(name), text);
    } else if (what == "change") {
      client().change(path(name), text);
    } else {
      ADD_FAILURE() << "no section is called `" << what << "`";
    }
  }

  std::string unmarked(const std::string& name, std::string text) {
    for (std::size_t at = text.find("«"); at != std::string::npos; at = text.find("«", at)) {
      const std::size_t end = text.find("»", at);
      const std::string mark = text.substr(at + 2, end - at - 2);
      text.erase(at, end + 2 - at);
      const std::string before = text.substr(0, at);
      marks_[mark] = {name, Lines(before).position(before, static_cast<std::uint32_t>(at), Encoding::Utf16)};
    }
    return text;
  }

  void message(const std::string& method, std::string given) {
    methods_.insert(method);
    Json params = Json::object();
    if (given.starts_with("«")) {
      const std::string marks = given.substr(2, given.find("»") - 2);
      const std::string first = marks.substr(0, marks.find('-'));
      params["textDocument"] = {{"uri", uri(marks_.at(first).document)}};
      params[first == marks ? "position" : "range"] = place(marks);
      given.erase(0, given.find("»") + 2);
    } else if (!given.starts_with("{") && given.find_first_not_of(" \n") != std::string::npos) {
      const std::size_t end = given.find_first_of(" \n");
      params["textDocument"] = {{"uri", uri(given.substr(0, end))}};
      given.erase(0, end);
    }
    if (given.find('{') != std::string::npos) params.update(filled(Json::parse(given)));
    if (method == "initialize") {
      client_ = std::make_unique<Client>(params, folder_.path(), Json::object(), withOthers());
      out_ += printed({{"result", client_->initialized()}});
    } else if (method == "initialized" || method == "exit" || method.find("/did") != std::string::npos ||
               method.starts_with("$/")) {
      client().notify(method, params);
    } else {
      const Json result = client().request(method, params);
      const Json error = client().error();
      later_ = error.is_null() ? Json{{"result", result}} : Json{{"error", error}};
    }
  }

  void answers() {
    for (const Json& one : std::exchange(client_->received(), {})) {
      if (!one.contains("method")) continue;
      methods_.insert(one["method"].get<std::string>());
      out_ += printed(one);
    }
    if (!later_.is_null()) out_ += printed(std::exchange(later_, nullptr));
  }

  Client& client() {
    if (!client_) {
      client_ = std::make_unique<Client>(
          Json{{"textDocument", {{"completion", {{"completionItem", {{"snippetSupport", true}}}}}}}}, folder_.path());
      client_->received().clear();
    }
    return *client_;
  }
  [[nodiscard]] std::string path(const std::string& name) const {
    return name.find(':') == std::string::npos ? folder_.file(name) : name;
  }
  [[nodiscard]] std::string uri(const std::string& name) const { return uriOf(path(name)); }

  Json place(const std::string& marks) const {
    const std::size_t dash = marks.find('-');
    if (dash == std::string::npos) return toJson(marks_.at(marks).at);
    return toJson(Range{marks_.at(marks.substr(0, dash)).at, marks_.at(marks.substr(dash + 1)).at});
  }
  Json filled(Json json) const {
    if (json.is_string()) {
      auto text = json.get<std::string>();
      if (text.starts_with("«") && text.ends_with("»")) return place(text.substr(2, text.size() - 4));
      if (text.starts_with("root:")) return uriOf(folder_.path()) + text.substr(5);
      return json;
    }
    if (json.is_structured()) {
      for (auto& part : json) part = filled(std::move(part));
      if (json.is_object() && json.contains("path")) json["path"] = path(json["path"]);  // of an item of a hierarchy
    }
    return json;
  }

  /// Positions and ranges in short, places in the folder without it.
  Json shortened(const Json& json) const {
    if (json.is_string()) {
      auto text = json.get<std::string>();
      for (const std::string& folder : {uriOf(folder_.path()), folder_.path()}) {
        for (std::size_t at = text.find(folder); at != std::string::npos; at = text.find(folder)) {
          text.replace(at, folder.size(), "root:");
        }
      }
      return text;
    }
    if (json.is_object() && json.size() == 2 && json.contains("line") && json.contains("character"))
      return json["line"].dump() + ":" + json["character"].dump();
    if (json.is_object() && json.size() == 2 && json.contains("start") && json.contains("end"))
      return shortened(json["start"]).get<std::string>() + "-" + shortened(json["end"]).get<std::string>();
    if (!json.is_structured()) return json;
    Json result = json.is_array() ? Json::array() : Json::object();
    for (const auto& [key, part] : json.items()) {
      if (json.is_array()) {
        result.push_back(shortened(part));
      } else {
        result[shortened(key).get<std::string>()] = shortened(part);
      }
    }
    // Made of the stamps of files.
    if (json.contains("uri") && json.contains("resultId")) result["resultId"] = "(of the files)";
    return result;
  }
  std::string printed(const Json& message) const {
    if (message.contains("method"))
      return "<- " + message["method"].get<std::string>() + " " + laidOut(shortened(message.value("params", Json())), 0) + "\n";
    if (message.contains("error")) return "<- error " + laidOut(shortened(message["error"]), 0) + "\n";
    return "<- " + laidOut(shortened(message["result"]), 0) + "\n";
  }
  /// On one line what fits there.
  static std::string laidOut(const Json& json, std::size_t indent) {
    constexpr std::size_t kWidth = 100;
    const std::string flat = json.dump();
    if (flat.size() + indent <= kWidth || !json.is_structured() || json.empty()) return flat;
    const bool numbers = json.is_array() && json[0].is_number();
    const std::string inner(indent + 2, ' ');
    std::string text(1, json.is_array() ? '[' : '{');
    std::size_t count = 0;
    for (const auto& [key, value] : json.items()) {
      if (!numbers || count % 25 == 0) text += "\n" + inner;
      if (json.is_object()) text += Json(key).dump() + ": ";
      text += laidOut(value, indent + 2);
      if (++count < json.size()) text += numbers && count % 25 != 0 ? ", " : ",";
    }
    return text + "\n" + std::string(indent, ' ') + (json.is_array() ? "]" : "}");
  }

  Folder folder_;
  std::unique_ptr<Client> client_;
  std::map<std::string, Mark> marks_;
  std::set<std::string> methods_;
  Json later_;
  std::string out_;
};

}  // namespace couler::lsp::testing
