#include "backends/argo/bundle.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "backends/argo/check.h"
#include "backends/argo/tags.h"
#include "support/text.h"

namespace couler::backends::argo {
namespace {

constexpr std::size_t kObjectLimit = std::size_t{3} << 19;  // of etcd

/// Limits that no manifest without aliases comes near: they are there for those who make small
/// texts stand for large ones.
YamlLimits limitsFor(std::string_view text) {
  YamlLimits limits;
  limits.bytes = std::size_t{1} << 31U;
  limits.nodes += text.size() / 16;
  return limits;
}

/// Cut at lines that are `---`, which nothing inside a document can be.
std::vector<std::string_view> documentsOf(std::string_view text) {
  std::vector<std::string_view> out;
  constexpr std::string_view kMark = "\n---\n";
  for (std::size_t at = text.find(kMark); at != text.npos; at = text.find(kMark)) {
    out.push_back(text.substr(0, at + 1));
    text.remove_prefix(at + kMark.size());
  }
  out.push_back(text);
  return out;
}

void field(DiagnosticSink& diags, YamlNode at, std::string_view what) {
  diags.take(diagnose<Diag::SpecField>({}, at.line(), what));
}
void reference(DiagnosticSink& diags, YamlNode at, std::string_view what) {
  diags.take(diagnose<Diag::SpecReference>({}, at.line(), what));
}

/// The names of a list of parameters.
NameSet namesOf(YamlNode list) {
  NameSet names;
  for (YamlNode p = list.first(); p.exists(); p = p.next()) names.insert(p["name"].text());
  return names;
}

/// The global outputs that the tasks of a workflow's entry give.
NameSet globalOutputs(const Manifest& part) {
  NameSet names;
  const Template* entry = part.find(part.spec()["entrypoint"].text());
  if (entry == nullptr) return names;
  for (const Dag::Task& task : entry->dag.tasks) {
    if (task.callee == nullptr) continue;
    const YamlNode outputs = task.callee->node["outputs"]["parameters"];
    for (YamlNode o = outputs.first(); o.exists(); o = o.next()) {
      if (o["globalName"].exists()) names.insert(o["globalName"].text());
    }
  }
  return names;
}

bool sameNode(YamlNode a, YamlNode b) {
  if (a.exists() != b.exists() || !a.exists()) return a.exists() == b.exists();
  if (a.isMap() != b.isMap() || a.isList() != b.isList()) return false;
  if (!a.isMap() && !a.isList()) return a.text() == b.text();
  YamlNode x = a.first(), y = b.first();
  for (; x.exists() && y.exists(); x = x.next(), y = y.next()) {
    if ((a.isMap() && x.key() != y.key()) || !sameNode(x, y)) return false;
  }
  return x.exists() == y.exists();
}

/// What a part has from the target, as its parent has it: else it runs with other rights, or
/// elsewhere.
constexpr std::string_view kOfTarget[] = {"serviceAccountName", "priority",     "parallelism",
                                          "archiveLogs",        "nodeSelector", "imagePullSecrets"};

}  // namespace

bool Bundle::read(std::string_view text, DiagnosticSink& diags) {
  texts_ = documentsOf(text);
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    YamlDocument& document = documents_.emplace_back();
    std::string error;
    if (!document.read(texts_[i], error, limitsFor(texts_[i]))) {
      diags.take(diagnose<Diag::SpecUnreadable>({}, error));
      return false;
    }
    if (document.count() != 1) {
      diags.take(diagnose<Diag::SpecUnreadable>(
          {}, fmt::format("it has {}", countOf(document.count(), "document"))));
      return false;
    }
    const YamlNode root = document.root();
    const std::string_view kind = i + 1 < texts_.size() ? "WorkflowTemplate" : "Workflow";
    if (!root.isMap() || root["kind"].text() != kind ||
        root["apiVersion"].text() != "argoproj.io/v1alpha1") {
      field(diags, root,
            root.isMap() ? fmt::format("this is no `{}` of `argoproj.io/v1alpha1`", kind)
                         : std::string("the manifest is no map"));
      return false;
    }
    manifests_.emplace_back(document);
  }
  return true;
}

bool Bundle::check(DiagnosticSink& diags) {
  for (std::size_t i = 0; i < manifests_.size(); ++i) {
    const Manifest& manifest = manifests_[i];
    ok_ = checkFields(documents_[i].root(), diags) && ok_;
    ok_ = checkReferences(manifest, diags) && ok_;
    if (&manifest == &parent()) continue;
    const YamlNode name = manifest.root()["metadata"]["name"];
    if (!name.exists() || !named_.emplace(name.text(), &manifest).second) {
      field(diags, manifest.root(), "a part without a name of its own");
      ok_ = false;
    }
    for (const std::string_view setting : kOfTarget) {
      if (sameNode(manifest.spec()[setting], parent().spec()[setting])) continue;
      field(diags, manifest.root(),
            fmt::format("`{}` of part `{}` is not that of the whole", setting, name.text()));
      ok_ = false;
    }
    if (!sameNode(manifest.root()["metadata"]["namespace"],
                  parent().root()["metadata"]["namespace"])) {
      field(diags, manifest.root(), fmt::format("part `{}` is in another namespace", name.text()));
      ok_ = false;
    }
    if (texts_[i].size() > kObjectLimit) {
      field(diags, manifest.root(),
            fmt::format("part `{}` is {}, over the {} that Kubernetes stores", name.text(),
                        humanBytes(texts_[i].size()), humanBytes(kObjectLimit)));
      ok_ = false;
    }
  }
  for (const Template& t : parent().templates()) {
    if (t.node["resource"].isMap()) submits(t, diags);
  }
  for (const auto& [name, part] : named_) {
    const bool used = std::any_of(submitted_.begin(), submitted_.end(),
                                  [p = part](const auto& by) { return by.second == p; });
    if (used) continue;
    reference(diags, part->root(), fmt::format("nothing submits part `{}`", name));
    ok_ = false;
  }
  return ok_;
}

const Manifest* Bundle::submittedBy(const Template& t) const {
  const auto found = submitted_.find(&t);
  return found == submitted_.end() ? nullptr : found->second;
}

void Bundle::submits(const Template& t, DiagnosticSink& diags) {
  const YamlNode resource = t.node["resource"];
  const YamlNode manifest = resource["manifest"];
  if (resource["action"].text() != "create" || manifest.text().find("kind: Workflow\n") == std::string_view::npos) {
    return;  // of something else
  }
  std::string& filled = filled_.emplace_back();
  std::vector<std::string_view> inputs;  // that the values come from, in order
  TagScanner scanner;
  std::string_view rest = manifest.text();
  for (std::size_t open = rest.find("{{"); open != rest.npos; open = rest.find("{{")) {
    const std::size_t close = rest.find("}}", open);
    if (close == rest.npos) break;
    filled += rest.substr(0, open);
    filled += "\"\"";
    scanner.scanTags(rest.substr(open, close + 2 - open));
    for (std::size_t i = 0; i < scanner.size(); ++i) {
      const auto part = scanner[i].parts;
      if (part.size() == 3 && part[0] == "inputs" && t.inputParameters.contains(part[2])) {
        inputs.push_back(part[2]);
        continue;
      }
      reference(diags, manifest, fmt::format("nothing is called `{}` here", scanner[i].text));
      ok_ = false;
    }
    rest.remove_prefix(close + 2);
  }
  filled += rest;
  YamlDocument& document = submissions_.emplace_back();
  std::string error;
  if (!document.read(filled, error) || document.count() != 1) {
    field(diags, manifest, fmt::format("the workflow to submit cannot be read: {}", error));
    ok_ = false;
    return;
  }
  const YamlNode spec = document.root()["spec"];
  const std::string_view name = spec["workflowTemplateRef"]["name"].text();
  const auto part = named_.find(name);
  if (part == named_.end()) {
    reference(diags, manifest, fmt::format("there is no part `{}`", name));
    ok_ = false;
    return;
  }
  submitted_[&t] = part->second;
  NameSet given = namesOf(spec["arguments"]["parameters"]);
  NameSet wanted = namesOf(part->second->spec()["arguments"]["parameters"]);
  const YamlNode wants = part->second->spec()["arguments"]["parameters"];
  for (YamlNode p = wants.first(); p.exists(); p = p.next()) {
    if (given.contains(p["name"].text())) continue;
    reference(diags, manifest, fmt::format("input `{}` of part `{}` is not given", p["name"].text(), name));
    ok_ = false;
  }
  if (!document.root()["metadata"]["generateName"].exists()) {
    field(diags, manifest,
          "a workflow to submit without `generateName`, so that it can be submitted once");
    ok_ = false;
  }
  std::size_t input = 0;
  for (YamlNode p = spec["arguments"]["parameters"].first(); p.exists(); p = p.next()) {
    const std::string_view from = input < inputs.size() ? inputs[input++] : std::string_view();
    if (from != p["name"].text()) {
      reference(diags, manifest,
                fmt::format("input `{}` of part `{}` is given `{}`", p["name"].text(), name, from));
      ok_ = false;
    }
    if (wanted.contains(p["name"].text())) continue;
    reference(diags, manifest, fmt::format("part `{}` has no input `{}`", name, p["name"].text()));
    ok_ = false;
  }
  takes(t, *part->second, diags);
}

void Bundle::takes(const Template& t, const Manifest& part, DiagnosticSink& diags) {
  constexpr std::pair<std::string_view, std::string_view> kMust[] = {
      {"successCondition", "status.phase == Succeeded"},
      {"failureCondition", "status.phase in (Failed, Error)"},
      {"setOwnerReference", "true"}};
  for (const auto& [name, value] : kMust) {
    if (t.node["resource"][name].text() == value) continue;
    field(diags, t.node, fmt::format("a part is submitted where `{}` is not `{}`", name, value));
    ok_ = false;
  }
  const NameSet gives = globalOutputs(part);
  const YamlNode outputs = t.node["outputs"]["parameters"];
  for (YamlNode o = outputs.first(); o.exists(); o = o.next()) {
    const std::string_view name = o["name"].text();
    if (o["valueFrom"]["jsonPath"].text() !=
        fmt::format("{{.status.outputs.parameters[?(@.name==\"{}\")].value}}", name)) {
      field(diags, o, fmt::format("`{}` is not that output of the part", name));
      ok_ = false;
    }
    if (gives.contains(name)) continue;
    reference(diags, o, fmt::format("part has no output `{}`", name));
    ok_ = false;
  }
}

}  // namespace couler::backends::argo
