#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backends/argo/compare.h"
#include "backends/argo/text.h"

namespace couler::backends::argo {

using ir::NodeId;
using ir::RegionId;
using ir::TypeKind;

/// Compares documents with a module (compareWithModule).
class Comparer {
 public:
  Comparer(const ir::Module& module, const EmitOptions& options, const Bundle& bundle,
           DiagnosticSink& diags)
      : module_(module),
        options_(options),
        bundle_(bundle),
        manifest_(&bundle.parent()),
        diags_(diags),
        marks_(module.nodes.size(), 0),
        called_(module.nodes.size(), Dag::kNone) {}

  bool run();

 private:
  static constexpr std::uint32_t kMaxFields = 64;
  static constexpr std::uint32_t kNoFields = 0xffffffffU;
  /// A field still to be taken of a value, and those after it.
  struct Fields {
    std::string_view name;
    std::uint32_t then;  ///< into fields_; kNoFields: none
    std::uint32_t count;
  };
  /// A task that is being compared, outside in.
  struct Level {
    YamlNode arguments;
    RegionId region;           ///< that it is a task of
    const Dag* dag = nullptr;  ///< null: it stands between a node and its body
  };
  struct Part {
    NodeId node;
    std::uint32_t fields = kNoFields;
  };

  // compare.cpp: templates, tasks and their order
  void differ(YamlNode at, std::string_view what);
  const Template* find(YamlNode at, std::string_view name);
  const ir::Node& node(NodeId id) const { return module_.at(id); }
  void findSteps();
  bool makesTask(NodeId id) const;
  static bool ownsBodies(const ir::Node& n);
  /// The nodes with tasks that a value is made of, whatever region they are in. `exact`: only those
  /// that it cannot be made without; else all that are in sight.
  void makers(NodeId first, bool exact, std::vector<NodeId>& out);
  /// Tasks of `home` that the task of `id` waits for, each once: at least `must_`, at most `may_`.
  void edges(NodeId id, RegionId home);
  void compareEdges(NodeId id, RegionId home, const Dag& dag, const Dag::Task& task);
  void dag(const Template* t, RegionId region);
  void compareNode(NodeId id, const Dag& home, const Dag::Task& task);
  void compareCallee(NodeId id, const Dag& home, const Dag::Task& task);
  /// Each task has a folder of its own for what its steps make.
  void folder(YamlNode arguments, std::string_view task);
  /// The body that a task of a template around it runs.
  void within(YamlNode task, RegionId body);
  void called(const ir::Call& call, const Template& t, YamlNode task, YamlNode exit);
  YamlNode only(const Template& t, std::string_view taskName);
  void side(const Template& t, std::string_view taskName, std::string_view when, RegionId region);

  // compare_parts.cpp: what goes from one document to another
  /// Parameters of parts that stand for all that another part gives, and groups.
  void findBundles();
  /// The call of a part: what it is given, then the part itself.
  void part(NodeId id, const Dag& home, const Dag::Task& task, const Template& runner);
  /// A part takes all outputs of another as they are.
  void bundleArguments(const Dag::Task& task, const Dag& home, NodeId source, std::string_view name);
  /// A step whose files another part reads puts them where that looks for them.
  void keyed(const Dag::Task& task, std::string_view folder);
  /// How the place of a file ends that a step, maybe one of a group, leaves for other parts.
  std::string filePlace(const Dag& home, NodeId maker, std::string_view name);
  /// The one task of a part's entry passes each input on under its own name.
  void inputsOfPart(const Dag::Task& task);
  /// Each value that a part gives, in order, is there under its name, and made by its step.
  void partOutputs(const Template& t, const ir::FuncDef& func);
  /// The same of a file of a group.
  void fileOutput(const Template& t, NodeId record, NodeId value, std::string_view name);
  /// Where a value is a field of what another part gives: how an expression reads it; else nothing.
  std::string partField(const Dag& home, NodeId operand) const;
  /// Where a value is a list of outputs of steps, or of lists from other parts: the first that
  /// `text` does not read in its turn; else nothing.
  std::string_view missing(const Dag& home, NodeId user, NodeId operand, std::string_view text);
  /// Values that the workflow gives, each from what makes it.
  void workflowOutputs(const Template& t, const ir::FuncDef& entry);

  // compare_values.cpp: arguments and files
  static YamlNode argument(YamlNode arguments, std::string_view name);
  void sameValue(YamlNode at, std::string_view text, const ir::Value& value, ir::TypeId type,
                 std::string_view name);
  /// Gives the argument's text.
  std::string_view constant(YamlNode task, YamlNode arguments, std::string_view name,
                            NodeId operand);
  static bool isFile(TypeKind kind);
  bool holdsFiles(ir::TypeId type) const;
  /// Where a value is one output of one step, or group, of the same DAG: the two, else no name.
  std::pair<NodeId, std::string_view> outputOf(NodeId user, NodeId operand) const;
  /// Whether `text` reads that output, in one of the ways in which Argo lets it be written.
  bool reads(std::string_view text, std::string_view task, std::string_view kind,
             std::string_view output);
  void arguments(NodeId id, const Dag& home, const Dag::Task& task, YamlNode given,
                 std::span<const ir::ParamDef> params);
  /// What `text` comes to when it is nothing but an input that the templates around it hand down,
  /// and the DAG of `to` when it comes from there.
  std::pair<std::string_view, const Dag*> passedDown(std::string_view text, std::string_view kind,
                                                     RegionId to) const;
  /// A file of a task of a template around this one comes from that task.
  void handedDown(NodeId operand, std::string_view text, const Dag::Task& task,
                  std::string_view name);
  /// Whether `text` reads an input of the group that it stands in.
  bool passesOn(std::string_view text, NodeId input, bool file) const;
  /// The part or group that a node calls, or null.
  const ir::FuncDef* outlinedBy(NodeId id) const;
  /// The part or group whose whole result a value is, else invalid.
  ir::FuncId bundleOf(NodeId id) const;
  /// The group that a node calls, or null.
  const ir::FuncDef* groupOf(NodeId id) const;
  /// Where an expression chooses a file, its key is made of those of all that it may be.
  void chosen(NodeId user, NodeId operand, const Dag& home, const Dag::Task& task,
              std::string_view key, std::string_view name);
  static std::string_view fileFrom(YamlNode given, std::string_view name);
  static std::string_view fileKey(YamlNode given, std::string_view name);
  void workflowArguments(YamlNode spec, const ir::FuncDef& entry);

  const ir::Module& module_;
  const EmitOptions& options_;
  const Bundle& bundle_;
  const Manifest* manifest_;  ///< the document at hand
  DiagnosticSink& diags_;
  bool ok_ = true;
  ForAllTasks all_;
  std::size_t depth_ = 0;
  std::vector<bool> stepful_;
  std::set<RegionId> groupBodies_;
  std::map<NodeId, ir::FuncId> bundles_;  ///< parameters of parts: the part whose result they are
  /// By a part's body and a field of its result: the output that it is in.
  std::map<std::pair<RegionId, std::string_view>, std::string_view> chunks_;
  std::set<std::pair<const Template*, std::uint32_t>> compared_;
  std::pair<const Template*, std::uint32_t> lastCompared_{};
  /// Called workflows, each once a document, and the templates of their `finally`.
  std::set<std::pair<const Manifest*, std::uint32_t>> functions_;
  std::map<std::pair<const Manifest*, std::uint32_t>, const Template*> exits_;

  std::vector<std::uint32_t> marks_;  ///< a node: the last look for makers that came by
  std::uint32_t mark_ = 0;
  std::vector<Level> levels_;
  std::vector<std::uint32_t> called_;  ///< a node: its task in its DAG
  std::vector<Part> parts_;            // scratch, as the next ones
  std::vector<Fields> fields_;
  std::vector<NodeId> must_, may_, todo_;
  std::vector<std::uint32_t> wanted_;
  std::string scratch_;
};

}  // namespace couler::backends::argo
