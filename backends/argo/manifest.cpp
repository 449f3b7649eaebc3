#include "backends/argo/manifest.h"

#include <algorithm>

namespace couler::backends::argo {
namespace {

constexpr std::size_t kFew = 16;

std::uint32_t hashOf(std::string_view name) {
  Mixer mixer;
  mixer.add(name);
  return mixer.finish();
}

/// The tasks named in Argo's `depends`: `a && (b.Succeeded || !c)`.
template <class Take>
void namesIn(std::string_view logic, const Take& take) {
  const auto isName = [&](std::size_t k) {
    const char c = logic[k];
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  for (std::size_t i = 0; i < logic.size();) {
    if (!isName(i)) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < logic.size() && isName(end)) ++end;
    take(logic.substr(i, end - i));
    if (end < logic.size() && logic[end] == '.') {  // `.Succeeded`
      ++end;
      while (end < logic.size() && isName(end)) ++end;
    }
    i = end;
  }
}

}  // namespace

bool NameSet::insert(std::string_view name) {
  if (!many_.empty()) return many_.insert(name).second;
  if (contains(name)) return false;
  few_.push_back(name);
  if (few_.size() > kFew) many_.insert(few_.begin(), few_.end());
  return true;
}

bool NameSet::contains(std::string_view name) const {
  if (!many_.empty()) return many_.contains(name);
  return std::any_of(few_.begin(), few_.end(),
                     [&](std::string_view other) { return sameText(name, other); });
}

void NameSet::clear() {
  few_.clear();
  many_.clear();
}

TaskParts::TaskParts(YamlNode task) {
  if (!task.isMap()) return;
  for (YamlNode value = task.first(); value.exists(); value = value.next()) {
    const std::string_view key = value.key();
    const auto is = [&](std::string_view word, YamlNode& part) {
      if (sameText(key, word)) part = value;
    };
    switch (key.size()) {
      case 4:
        is("name", name);
        is("when", when);
        break;
      case 5:
        is("hooks", hooks);
        break;
      case 6:
        is("inline", inlined);
        break;
      case 7:
        is("depends", depends);
        break;
      case 8:
        is("template", templateName);
        break;
      case 9:
        is("arguments", arguments);
        is("withParam", withParam);
        is("withItems", withItems);
        break;
      case 10:
        is("continueOn", continueOn);
        break;
      case 11:
        is("templateRef", templateRef);
        break;
      case 12:
        is("dependencies", dependencies);
        is("withSequence", withSequence);
        break;
      default:
        break;
    }
  }
}

std::uint32_t Dag::find(std::string_view name) const {
  return index_.find(hashOf(name), [&](std::uint32_t i) { return sameText(tasks[i].name, name); });
}

Manifest::Manifest(const YamlDocument& document) : root_(document.root()), spec_(root_["spec"]) {
  for (YamlNode t = spec_["templates"].first(); t.exists(); t = t.next()) addTemplate(t);
  for (Template& made : templates_) readDag(made);
}

const Template* Manifest::find(std::string_view name) const {
  const std::uint32_t found =
      index_.find(hashOf(name), [&](std::uint32_t i) { return templates_[i].name == name; });
  return found == IdTable::kEmpty ? nullptr : &templates_[found];
}

void Manifest::declare(YamlNode list, NameSet& names, std::vector<std::string_view>* required,
                       bool artifacts) {
  for (YamlNode item = list.first(); item.exists(); item = item.next()) {
    const std::string_view name = item["name"].text();
    if (name.empty() || !names.insert(name)) bad_.push_back({item, name});
    if (name.empty() || required == nullptr) continue;
    bool given = false;
    if (artifacts) {
      given = item["optional"].text() == "true";
      for (const char* source :
           {"raw", "s3", "http", "git", "gcs", "oss", "azure", "hdfs", "artifactory", "plugin"}) {
        given = given || item[source].exists();
      }
    } else {
      given = item["value"].exists() || item["default"].exists() || item["valueFrom"].exists();
    }
    if (!given) required->push_back(name);
  }
}

void Manifest::addTemplate(YamlNode node) {
  const std::string_view name = node["name"].text();
  const auto number = static_cast<std::uint32_t>(templates_.size());
  const std::uint32_t first = index_.insert(
      hashOf(name), number, [&](std::uint32_t i) { return templates_[i].name == name; });
  if (first != number) {
    repeated_.push_back(node);
    return;
  }
  Template& made = templates_.emplace_back();
  made.node = node;
  made.name = name;
  const YamlNode inputs = node["inputs"], outputs = node["outputs"];
  declare(inputs["parameters"], made.inputParameters, &made.mustGive, false);
  declare(inputs["artifacts"], made.inputArtifacts, &made.mustGiveArtifacts, true);
  declare(outputs["parameters"], made.outputParameters, nullptr, false);
  declare(outputs["artifacts"], made.outputArtifacts, nullptr, true);
}

bool Dag::addWait(Task& task, std::string_view name) {
  // Where a machine wrote them, a task often waits for the tasks next to those that the task before
  // it waits for.
  std::uint32_t found = kNone;
  if (&task != tasks.data()) {
    const Task& before = *(&task - 1);
    if (task.waitCount < before.waitCount) found = waits_[before.firstWait + task.waitCount] + 1;
  }
  if (found >= tasks.size() || !sameText(tasks[found].name, name)) found = find(name);
  if (found == kNone) return false;
  waits_.push_back(found);
  ++task.waitCount;
  return true;
}

bool Dag::addWaits(Task& task, const TaskParts& parts, bool complain) {
  task.firstWait = static_cast<std::uint32_t>(waits_.size());
  bool all = true;
  const auto add = [&](std::string_view name) {
    if (addWait(task, name)) return;
    all = false;
    if (complain) unknown.push_back({static_cast<std::uint32_t>(&task - tasks.data()), name});
  };
  for (YamlNode d = parts.dependencies.first(); d.exists(); d = d.next()) add(d.text());
  namesIn(parts.depends.text(), add);
  return all;
}

void Manifest::readDag(Template& made) {
  const YamlNode list = made.node["dag"]["tasks"];
  Dag& dag = made.dag;
  dag.tasks.reserve(list.size());
  dag.index_.reserve(list.size());
  std::vector<std::uint32_t> later;  // tasks that name some that come after them, or none
  for (YamlNode t = list.first(); t.exists(); t = t.next()) {
    const TaskParts parts(t);
    const auto number = static_cast<std::uint32_t>(dag.tasks.size());
    const std::string_view callee = parts.templateName.text();
    const Template* same = number == 0 ? nullptr : dag.tasks.back().callee;
    Dag::Task& task = dag.tasks.emplace_back();
    task.node = t;
    task.name = parts.name.text();
    task.arguments = parts.arguments;
    task.plain = parts.isPlain();
    task.callee = same != nullptr && sameText(same->name, callee) ? same : find(callee);
    const std::uint32_t first = dag.index_.insert(hashOf(task.name), number, [&](std::uint32_t i) {
      return sameText(dag.tasks[i].name, task.name);
    });
    if (first != number) dag.repeated.push_back(number);
    dag.usesDependencies = dag.usesDependencies || parts.dependencies.exists();
    dag.usesDepends = dag.usesDepends || parts.depends.exists();
    if (dag.addWaits(task, parts, false)) continue;
    dag.waits_.resize(task.firstWait);
    task.waitCount = 0;
    later.push_back(number);
  }
  for (const std::uint32_t number : later) {
    Dag::Task& task = dag.tasks[number];
    dag.addWaits(task, TaskParts(task.node), true);
  }
}

}  // namespace couler::backends::argo
