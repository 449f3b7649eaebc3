#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "backends/yaml_reader.h"
#include "support/id_table.h"

/// A manifest that was read, as its checks and its comparison with the graph look at it: templates
/// and tasks by name. Views into the document, which must outlive it. Takes whatever it meets;
/// saying what is wrong with it is the checks' business.
namespace couler::backends::argo {

/// Names, mostly few.
class NameSet {
 public:
  /// False where it is in already.
  bool insert(std::string_view name);
  [[nodiscard]] bool contains(std::string_view name) const;
  void clear();

 private:
  std::vector<std::string_view> few_;
  std::unordered_set<std::string_view> many_;  ///< all, once they are more than a few
};

/// The entries of a DAG's task, found in one pass over them.
struct TaskParts {
  explicit TaskParts(YamlNode task);
  YamlNode name, templateName, dependencies, depends, when, continueOn, arguments, hooks;
  YamlNode withParam, withItems, withSequence, templateRef, inlined;

  /// Whether it has nothing but a name, a template, what it waits for, and arguments.
  [[nodiscard]] bool isPlain() const {
    return !when.exists() && !continueOn.exists() && !hooks.exists() && !withParam.exists() &&
           !withItems.exists() && !withSequence.exists() && !templateRef.exists() &&
           !inlined.exists();
  }
};

struct Template;

/// The tasks of a DAG template.
class Dag {
 public:
  static constexpr std::uint32_t kNone = 0xffffffffU;
  struct Task {
    YamlNode node;
    std::string_view name;
    YamlNode arguments;
    const Template* callee = nullptr;  ///< null where there is no such template
    std::uint32_t firstWait = 0;       ///< see `waits`
    std::uint32_t waitCount = 0;
    bool plain = false;  ///< TaskParts::isPlain
  };
  struct Unknown {
    std::uint32_t task;
    std::string_view name;
  };

  /// The task of that name (the first of several), or kNone.
  [[nodiscard]] std::uint32_t find(std::string_view name) const;
  /// Numbers of the tasks that a task names in `dependencies` or `depends`.
  [[nodiscard]] std::span<const std::uint32_t> waits(const Task& task) const {
    return {waits_.data() + task.firstWait, task.waitCount};
  }

  std::vector<Task> tasks;
  std::vector<std::uint32_t> repeated;  ///< tasks whose name an earlier one has
  std::vector<Unknown> unknown;         ///< names in `dependencies` that are no task's
  bool usesDependencies = false, usesDepends = false;

 private:
  friend class Manifest;
  /// False where there is no such task.
  bool addWait(Task& task, std::string_view name);
  bool addWaits(Task& task, const TaskParts& parts, bool complain);
  IdTable index_;
  std::vector<std::uint32_t> waits_;
};

struct Template {
  YamlNode node;
  std::string_view name;
  NameSet inputParameters, inputArtifacts;
  std::vector<std::string_view> mustGive;  ///< parameters without a value of their own
  std::vector<std::string_view> mustGiveArtifacts;
  NameSet outputParameters, outputArtifacts;
  Dag dag;  ///< without tasks where it is none
};

class Manifest {
 public:
  explicit Manifest(const YamlDocument& document);
  Manifest(const Manifest&) = delete;
  Manifest& operator=(const Manifest&) = delete;

  [[nodiscard]] YamlNode root() const { return root_; }
  [[nodiscard]] YamlNode spec() const { return spec_; }
  /// In their order; of two of one name the first.
  [[nodiscard]] const std::deque<Template>& templates() const { return templates_; }
  [[nodiscard]] const Template* find(std::string_view name) const;
  [[nodiscard]] const std::vector<YamlNode>& repeated() const { return repeated_; }
  struct Declaration {
    YamlNode node;
    std::string_view name;  ///< empty: it has none
  };
  /// Inputs and outputs without a name, or declared before.
  [[nodiscard]] const std::vector<Declaration>& badDeclarations() const { return bad_; }

 private:
  void addTemplate(YamlNode node);
  void declare(YamlNode list, NameSet& names, std::vector<std::string_view>* required,
               bool artifacts);
  void readDag(Template& made);

  YamlNode root_, spec_;
  std::deque<Template> templates_;
  IdTable index_;
  std::vector<YamlNode> repeated_;
  std::vector<Declaration> bad_;
};

}  // namespace couler::backends::argo
