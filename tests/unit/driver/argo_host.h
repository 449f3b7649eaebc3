#pragma once

#include <cctype>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <yaml.h>

#include "tests/unit/driver/command_line.h"

namespace couler::testing {

using Tree = nlohmann::ordered_json;

/// A YAML document by libyaml; every scalar is a string.
inline Tree yamlTree(const std::string& text) {
  yaml_parser_t parser;
  yaml_document_t document;
  yaml_parser_initialize(&parser);
  yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(text.data()),
                               text.size());
  Tree root;
  if (yaml_parser_load(&parser, &document) == 0) {
    ADD_FAILURE() << "not YAML: " << parser.problem;
  } else {
    const auto convert = [&](const auto& self, int id) -> Tree {
      const yaml_node_t* node = yaml_document_get_node(&document, id);
      Tree made;
      if (node->type == YAML_SCALAR_NODE) {
        return std::string(reinterpret_cast<const char*>(node->data.scalar.value),
                           node->data.scalar.length);
      }
      if (node->type == YAML_SEQUENCE_NODE) {
        made = Tree::array();
        for (auto* item = node->data.sequence.items.start; item < node->data.sequence.items.top;
             ++item) {
          made.push_back(self(self, *item));
        }
        return made;
      }
      made = Tree::object();
      for (auto* pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top;
           ++pair) {
        made[self(self, pair->key).template get<std::string>()] = self(self, pair->value);
      }
      return made;
    };
    root = convert(convert, 1);
    yaml_document_delete(&document);
  }
  yaml_parser_delete(&parser);
  return root;
}

/// What a manifest of a DAG of containers would do on a cluster, done by hand in a folder: tasks in
/// the order of their dependencies, parameters and artifacts passed as Argo passes them, each
/// container's command run on this host with `/couler` and `/tmp/couler` in a folder of its own. The
/// bucket is the test's folder. Of tags and expressions it knows what such manifests use: paths,
/// texts, `+` and `sprig.b64enc`.
class ArgoHost {
 public:
  ArgoHost(const Tree& manifest, fs::path folder) : spec_(manifest["spec"]), folder_(folder) {
    for (const Tree& parameter : list(spec_["arguments"], "parameters")) {
      workflow_["workflow.parameters." + text(parameter["name"])] = text(parameter["value"]);
    }
  }

  /// The workflow's outputs, as paths; empty after a failure.
  std::map<std::string, fs::path> run() {
    const Tree& entry = named(spec_["templates"], text(spec_["entrypoint"]));
    Names names = workflow_;
    for (const Tree& parameter : list(entry["inputs"], "parameters")) {
      const std::string name = text(parameter["name"]);
      names["inputs.parameters." + name] = workflow_["workflow.parameters." + name];
    }
    for (const Tree& artifact : list(entry["inputs"], "artifacts")) {
      names["inputs.artifacts." + text(artifact["name"])] =
          (folder_ / filled(text(artifact["s3"]["key"]), workflow_)).string();
    }
    std::set<std::string> done;
    const Tree& tasks = entry["dag"]["tasks"];
    while (done.size() < tasks.size()) {
      const std::size_t before = done.size();
      for (const Tree& task : tasks) {
        const std::string name = text(task["name"]);
        bool ready = !done.contains(name);
        for (const Tree& dependency : list(task, "dependencies")) {
          ready = ready && done.contains(text(dependency));
        }
        if (!ready) continue;
        if (!runTask(task, names)) return {};
        done.insert(name);
      }
      if (done.size() == before) {
        ADD_FAILURE() << "tasks wait for each other";
        return {};
      }
    }
    std::map<std::string, fs::path> outputs;
    for (const Tree& artifact : list(entry["outputs"], "artifacts")) {
      outputs[text(artifact["name"])] = filled(text(artifact["from"]), names);
    }
    return outputs;
  }

 private:
  using Names = std::map<std::string, std::string>;

  static std::string text(const Tree& node) { return node.get<std::string>(); }
  static Tree list(const Tree& node, const char* key) {
    return node.is_object() && node.contains(key) ? node[key] : Tree::array();
  }
  static const Tree& named(const Tree& all, const std::string& name) {
    for (const Tree& one : all) {
      if (one["name"] == name) return one;
    }
    throw std::runtime_error("no template " + name);
  }
  static std::string replaced(std::string whole, const std::string& part, const std::string& by) {
    for (std::size_t at = 0; (at = whole.find(part, at)) != std::string::npos; at += by.size()) {
      whole.replace(at, part.size(), by);
    }
    return whole;
  }

  /// `{{name}}` and `{{=expression}}`.
  static std::string filled(const std::string& text, const Names& names) {
    std::string out;
    for (std::size_t at = 0;;) {
      const std::size_t open = text.find("{{", at);
      const std::size_t close = text.find("}}", open);
      out += text.substr(at, open - at);
      if (open == std::string::npos || close == std::string::npos) return out;
      const std::string inner = text.substr(open + 2, close - open - 2);
      if (inner.starts_with('=')) {
        std::size_t from = 1;
        out += sum(inner, from, names);
        EXPECT_EQ(from, inner.size()) << inner;
      } else {
        EXPECT_TRUE(names.contains(inner)) << inner;
        out += names.at(inner);
      }
      at = close + 2;
    }
  }

  static std::string sum(const std::string& e, std::size_t& at, const Names& names) {
    std::string left = term(e, at, names);
    while (e.compare(at, 3, " + ") == 0) {
      at += 3;
      left += term(e, at, names);
    }
    return left;
  }

  static std::string term(const std::string& e, std::size_t& at, const Names& names) {
    if (e[at] == '"') {
      std::size_t end = at + 1;
      while (e[end] != '"') end += e[end] == '\\' ? 2 : 1;
      const std::string literal = e.substr(at, end + 1 - at);
      at = end + 1;
      return Tree::parse(literal).get<std::string>();
    }
    const std::string call = "sprig.b64enc";
    const bool encodes = e.compare(at, call.size(), call) == 0;
    if (encodes) at += call.size();
    if (e[at] == '(') {
      ++at;
      const std::string inner = sum(e, at, names);
      EXPECT_EQ(e[at], ')') << e;
      ++at;
      return encodes ? base64(inner) : inner;
    }
    const std::string input = "inputs.parameters[";
    EXPECT_EQ(e.compare(at, input.size(), input), 0) << e.substr(at);
    const std::size_t close = e.find(']', at);
    const std::string name = e.substr(at + input.size() + 1, close - at - input.size() - 2);
    at = close + 1;
    EXPECT_TRUE(names.contains("inputs.parameters." + name)) << name;
    return names.at("inputs.parameters." + name);
  }

  static std::string base64(const std::string& bytes) {
    static constexpr char kDigits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
      unsigned word = 0;
      for (std::size_t k = 0; k < 3; ++k) {
        word = (word << 8U) | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
      }
      for (std::size_t k = 0; k < 4; ++k) {
        const bool fill = i + k > bytes.size();
        out += fill ? '=' : kDigits[(word >> (18 - 6 * k)) & 63U];
      }
    }
    return out;
  }

  bool runTask(const Tree& task, Names& outer) {
    const std::string name = text(task["name"]);
    const Tree& callee = named(spec_["templates"], text(task["template"]));
    const fs::path pod = folder_ / "pods" / name;
    const auto here = [&](const std::string& path) {  // the container's folders are the pod's
      return replaced(replaced(path, "/tmp/couler/", (pod / "tmp/").string()), "/couler/in/",
                      (pod / "in/").string());
    };
    Names names = workflow_;
    for (const Tree& parameter : list(callee["inputs"], "parameters")) {
      if (!parameter.contains("value")) continue;
      names["inputs.parameters." + text(parameter["name"])] = text(parameter["value"]);
    }
    const Tree given = task.contains("arguments") ? task["arguments"] : Tree::object();
    for (const Tree& parameter : list(given, "parameters")) {
      names["inputs.parameters." + text(parameter["name"])] = filled(text(parameter["value"]), outer);
    }
    for (const Tree& artifact : list(callee["inputs"], "artifacts")) {
      const fs::path path = here(filled(text(artifact["path"]), names));
      const Tree from = named(given["artifacts"], text(artifact["name"]));
      fs::create_directories(path.parent_path());
      fs::copy_file(filled(text(from["from"]), outer), path);
    }
    const Tree& container = callee["container"];
    std::string line = "PATH=" + quote(fs::path(COULER_BINARY).parent_path()) +
                       ":/usr/bin:/bin";
    for (const Tree& variable : list(container, "env")) {
      line += " " + text(variable["name"]) + "=" +
              quote(word(filled(here(text(variable["value"])), names)));
    }
    for (const Tree& part : container["command"]) {
      const std::string command = replaced(text(part), "/tmp/couler/", (pod / "tmp/").string());
      line += " " + quote(word(filled(command, names)));
    }
    const std::string log = (pod / "log").string();
    fs::create_directories(pod);
    // NOLINTNEXTLINE(concurrency-mt-unsafe): tests are one thread
    const int status = std::system(("env -i " + line + " >" + quote(log) + " 2>&1").c_str());
    EXPECT_EQ(status, 0) << name << ": " << slurp(log);
    if (status != 0) return false;
    for (const Tree& artifact : list(callee["outputs"], "artifacts")) {
      const std::string path = here(filled(text(artifact["path"]), names));
      EXPECT_TRUE(fs::exists(path)) << path;
      outer["tasks." + name + ".outputs.artifacts." + text(artifact["name"])] = path;
    }
    return true;
  }

  /// As Kubernetes leaves a word: `$$` is a `$`.
  static std::string word(const std::string& text) { return replaced(text, "$$", "$"); }

  Tree spec_;
  fs::path folder_;
  Names workflow_;
};

}  // namespace couler::testing
