#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <yaml.h>

#include "tests/unit/driver/argo_expression.h"
#include "tests/unit/driver/command_line.h"

namespace couler::testing {

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
    if (yaml_document_get_root_node(&document) == nullptr) {
      ADD_FAILURE() << "no YAML at all";
    } else {
      root = convert(convert, 1);
    }
    yaml_document_delete(&document);
  }
  yaml_parser_delete(&parser);
  return root;
}

/// What a manifest of DAGs of containers would do on a cluster, done by hand in a folder: tasks in
/// the order of their dependencies, one for each item of `withParam`, parameters and artifacts passed
/// as Argo passes them, each container's command run on this host with `/couler` and `/tmp/couler` in
/// a folder of its own. The bucket is the test's folder.
class ArgoHost {
 public:
  ArgoHost(const Tree& manifest, fs::path folder) : spec_(manifest["spec"]), folder_(folder) {
    workflow_["workflow.uid"] = "uid";
    for (const Tree& parameter : list(spec_, "arguments", "parameters")) {
      workflow_["workflow.parameters." + text(parameter["name"])] = text(parameter["value"]);
    }
  }

  /// The workflow's outputs that are files, as paths; a chosen file is its key below the bucket.
  /// Empty after a failure.
  std::map<std::string, fs::path> run() {
    const Tree& entry = named(spec_["templates"], text(spec_["entrypoint"]));
    Names names = workflow_;
    for (const Tree& parameter : list(entry, "inputs", "parameters")) {
      const std::string name = text(parameter["name"]);
      names["inputs.parameters." + name] = workflow_["workflow.parameters." + name];
    }
    for (const Tree& artifact : list(entry, "inputs", "artifacts")) {
      names["inputs.artifacts." + text(artifact["name"])] =
          (folder_ / filled(text(artifact["s3"]["key"]), workflow_)).string();
    }
    if (!runDag(entry, "", names)) return {};
    std::map<std::string, fs::path> outputs;
    for (const Tree& artifact : list(entry, "outputs", "artifacts")) {
      outputs[text(artifact["name"])] = filled(text(artifact["from"]), names);
    }
    for (const Tree& parameter : list(entry, "outputs", "parameters")) {
      const Tree value = Tree::parse(given(parameter["valueFrom"], names));
      values_[text(parameter["name"])] = value;
      if (value.is_string()) outputs[text(parameter["name"])] = folder_ / value.get<std::string>();
    }
    return outputs;
  }
  /// The outputs that are parameters.
  [[nodiscard]] const std::map<std::string, Tree>& values() const { return values_; }
  /// How many containers ran.
  [[nodiscard]] std::size_t pods() const { return pods_; }

 private:
  using Names = ArgoExpression::Names;

  static std::string text(const Tree& node) { return node.get<std::string>(); }
  /// A list in a map; empty where there is none.
  static Tree list(const Tree& node, const char* key) {
    return node.is_object() && node.contains(key) ? node[key] : Tree::array();
  }
  static Tree list(const Tree& node, const char* group, const char* key) {
    return node.contains(group) ? list(node[group], key) : Tree::array();
  }
  static const Tree& named(const Tree& all, const std::string& name) {
    for (const Tree& one : all) {
      if (one["name"] == name) return one;
    }
    throw std::runtime_error("no template " + name);
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
        out += ArgoExpression(inner.substr(1), names).run();
      } else {
        EXPECT_TRUE(names.contains(inner)) << inner;
        const auto found = names.find(inner);
        if (found != names.end()) out += found->second;
      }
      at = close + 2;
    }
  }

  /// `valueFrom` of an output of a DAG.
  static std::string given(const Tree& from, const Names& names) {
    if (from.contains("parameter")) return filled(text(from["parameter"]), names);
    return ArgoExpression(filled(text(from["expression"]), names), names).run();
  }

  bool runDag(const Tree& dag, const std::string& path, Names& names) {
    std::set<std::string> done;
    const Tree& tasks = dag["dag"]["tasks"];
    while (done.size() < tasks.size()) {
      const std::size_t before = done.size();
      for (const Tree& task : tasks) {
        const std::string name = text(task["name"]);
        bool ready = !done.contains(name);
        for (const Tree& dependency : list(task, "dependencies")) {
          ready = ready && done.contains(text(dependency));
        }
        if (!ready) continue;
        std::string& status = names["tasks." + name + ".status"];
        status = "Skipped";
        if (!task.contains("when") ||
            ArgoExpression(filled(text(task["when"]), names), names).run() == "true") {
          const bool mayFail = task.contains("continueOn");
          mayFail_ += mayFail ? 1 : 0;
          const bool good = runTask(task, path + name, names);
          mayFail_ -= mayFail ? 1 : 0;
          if (!good && !mayFail) return false;
          status = good ? "Succeeded" : "Failed";
        }
        done.insert(name);
      }
      if (done.size() == before) {
        ADD_FAILURE() << "tasks wait for each other";
        return false;
      }
    }
    return true;
  }

  bool runTask(const Tree& task, const std::string& path, Names& outer) {
    if (!task.contains("withParam")) return runOnce(task, path, outer);
    std::size_t index = 0;
    const std::string output = "tasks." + text(task["name"]) + ".outputs.parameters.";
    std::map<std::string, Tree> lists;  // Argo gives what all items give as one list
    for (const Tree& item : Tree::parse(filled(text(task["withParam"]), outer))) {
      Names names = outer;
      if (item.is_object()) {
        for (const auto& [key, value] : item.items()) names["item." + key] = text(value);
      } else {
        names["item"] = item.dump();
      }
      if (!runOnce(task, path + "-" + std::to_string(index++), names)) return false;
      for (const auto& [name, value] : names) {
        if (name.starts_with(output)) lists[name].push_back(value);
      }
    }
    for (const auto& [name, list] : lists) outer[name] = list.dump();
    return true;
  }

  bool runOnce(const Tree& task, const std::string& path, Names& outer) {
    const std::string output = "tasks." + text(task["name"]) + ".outputs.";
    const Tree& callee = named(spec_["templates"], text(task["template"]));
    const fs::path pod = folder_ / "pods" / path;
    const bool isDag = callee.contains("dag");
    const auto here = [&](const std::string& text) {  // the container's folders are the pod's
      if (isDag) return text;
      return replaced(replaced(text, "/tmp/couler/", (pod / "tmp/").string()), "/couler/in/",
                      (pod / "in/").string());
    };
    Names names = workflow_;
    for (const Tree& parameter : list(callee, "inputs", "parameters")) {
      if (!parameter.contains("value")) continue;
      names["inputs.parameters." + text(parameter["name"])] = text(parameter["value"]);
    }
    for (const Tree& parameter : list(task, "arguments", "parameters")) {
      names["inputs.parameters." + text(parameter["name"])] =
          filled(here(text(parameter["value"])), outer);
    }
    for (const Tree& artifact : list(callee, "inputs", "artifacts")) {
      const Tree all = list(task, "arguments", "artifacts");
      const bool optional = artifact.contains("optional");
      const auto found = std::find_if(
          all.begin(), all.end(), [&](const Tree& one) { return one["name"] == artifact["name"]; });
      const Tree from = found == all.end() ? Tree::object() : *found;
      std::string source;
      if (from.contains("s3")) {
        source = (folder_ / filled(text(from["s3"]["key"]), outer)).string();
      } else if (from.contains("from")) {
        source = artifactOf(text(from["from"]), outer);
      }
      if (!fs::exists(source)) {
        EXPECT_TRUE(optional) << path << ": no artifact " << artifact["name"];
        continue;
      }
      names["inputs.artifacts." + text(artifact["name"])] = source;
      if (isDag) continue;
      const fs::path into = here(filled(text(artifact["path"]), names));
      fs::create_directories(into.parent_path());
      fs::copy(source, into, fs::copy_options::recursive);
    }
    if (isDag ? !runDag(callee, path + ".", names) : !runContainer(callee["container"], pod, names)) {
      return false;
    }
    for (const Tree& parameter : list(callee, "outputs", "parameters")) {
      const Tree& from = parameter["valueFrom"];
      outer[output + "parameters." + text(parameter["name"])] =
          isDag ? given(from, names) : slurp(here(filled(text(from["path"]), names)));
    }
    for (const Tree& artifact : list(callee, "outputs", "artifacts")) {
      std::string made;
      if (!isDag) {
        made = here(filled(text(artifact["path"]), names));
      } else if (artifact.contains("from")) {
        made = artifactOf(text(artifact["from"]), names);
      } else {
        made = ArgoExpression(text(artifact["fromExpression"]), names).run();
      }
      if (!fs::exists(made)) {
        EXPECT_TRUE(artifact.contains("optional"))
            << path << ": " << artifact["name"] << " is not there";
        continue;
      }
      outer[output + "artifacts." + text(artifact["name"])] = made;
      if (!artifact.contains("s3")) continue;
      names["pod.name"] = path;
      const fs::path key = folder_ / filled(text(artifact["s3"]["key"]), names);
      fs::create_directories(key.parent_path());
      fs::copy_file(made, key);
    }
    return true;
  }

  /// The file of `{{tasks.x.outputs.artifacts.y}}`; nothing where there is none.
  static std::string artifactOf(const std::string& tag, const Names& names) {
    const auto found = names.find(tag.substr(2, tag.size() - 4));
    return found == names.end() ? "" : found->second;
  }

  bool runContainer(const Tree& container, const fs::path& pod, const Names& names) {
    ++pods_;
    const auto here = [&](const std::string& text) {
      return replaced(replaced(text, "/tmp/couler/", (pod / "tmp/").string()), "/couler/in/",
                      (pod / "in/").string());
    };
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
    EXPECT_TRUE(status == 0 || mayFail_ != 0) << pod << ": " << slurp(log);
    return status == 0;
  }

  /// As Kubernetes leaves a word: `$$` is a `$`.
  static std::string word(const std::string& text) { return replaced(text, "$$", "$"); }

  Tree spec_;
  fs::path folder_;
  Names workflow_;
  std::map<std::string, Tree> values_;
  int mayFail_ = 0;
  std::size_t pods_ = 0;
};

}  // namespace couler::testing
