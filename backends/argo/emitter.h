#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "backends/argo/labels.h"
#include "backends/argo/settings.h"
#include "backends/argo/text.h"
#include "backends/backend.h"
#include "backends/launcher.h"
#include "backends/names.h"
#include "backends/yaml_writer.h"
#include "ir/module.h"
#include "support/hash.h"

/// The parts of the Argo emitter; only backends/argo/*.cpp see this.
///
/// Every value that crosses a template's border is a set of leaves: its record fields, down to
/// files (artifacts) and everything else (parameters, JSON text). A region that holds steps becomes
/// a DAG template of its own; what it uses from outside is captured: it becomes an input of the
/// template, and whoever calls the template gives it.
namespace couler::backends::argo {

using Path = std::vector<std::string>;

/// One leaf of a value.
struct Leaf {
  Path path;
  ir::TypeId type;
  bool artifact = false;
  bool optional = false;  ///< an artifact that may be missing
};

/// What an `arguments.artifacts` entry is.
struct ArtifactArg {
  std::string name;
  std::optional<Ref> from;
  std::optional<std::string> raw;  ///< content
  std::optional<std::string> key;  ///< in the object store; may hold tags
  bool optional = false;
};

/// `arguments.parameters`: names, and values with their tags. All of it is one text, which keeps
/// its room when it is cleared.
class Arguments {
 public:
  /// Where the value of a new argument is to be appended, before anything else is done to this.
  std::string& add(std::string_view name);
  void add(std::string_view name, std::string_view value) { add(name) += value; }
  void clear() {
    chars_.clear();
    rows_.clear();
  }
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] std::string_view name(std::size_t i) const {
    return std::string_view(chars_).substr(rows_[i].begin, rows_[i].nameSize);
  }
  [[nodiscard]] std::string_view value(std::size_t i) const {
    const std::size_t begin = rows_[i].begin + rows_[i].nameSize;
    const std::size_t end = i + 1 < rows_.size() ? rows_[i + 1].begin : chars_.size();
    return std::string_view(chars_).substr(begin, end - begin);
  }

 private:
  struct Row {
    std::size_t begin, nameSize;
  };
  std::string chars_;
  std::vector<Row> rows_;
};

/// One task of a DAG.
struct TaskCall {
  std::string name;
  std::string templateName;
  Arguments parameters;
  std::vector<ArtifactArg> artifacts;
  std::vector<std::string_view> dependencies;  ///< of the table of names
  std::string depends;                         ///< in place of `dependencies`
  std::string when;
  std::string withParam;
  bool continueOn = false;
  std::string exitTemplate;  ///< hooks.exit
  Arguments exitParameters;

  /// Empties what a step may have set.
  void clear() {
    parameters.clear();
    artifacts.clear();
    dependencies.clear();
  }
};

/// An input that a template takes because its body uses a value from outside.
struct Capture {
  ir::NodeId node;
  Path path;
  std::string name;
  bool artifact = false;
  bool optional = false;
  ir::TypeId type;
};

/// The template that is being written: whose inputs and tasks names mean.
struct Scope {
  Scope* parent = nullptr;
  std::string templateName;
  std::vector<Capture> captures;
  std::map<std::pair<ir::NodeId, Path>, std::size_t> captureIndex;
  std::vector<ir::NodeId> orderCaptures;  ///< `after` edges to nodes outside
  NameTable inputNames;
  NameTable taskNames;
  bool isEntry = false;
  bool isPart = false;  ///< the body of a part: has the input `kFolder`
  bool once = true;  ///< its tasks run at most once a workflow: no fan-out, loop or called workflow
  std::string
      place;  ///< of a scope that runs once: where its steps put files, below the run's folder
  std::string task;        ///< that runs it, of its parent
  bool folder = false;     ///< has the input `kFolder`, the run's folder and `place`
  bool unrolled = false;   ///< there are others like it: its body is to be the same as theirs
  bool fileItems = false;  ///< a `for` body whose files are collected: has the input `kIndex`
  std::size_t nesting = 0;
};

/// Whether values of this kind are files, folders or tables: artifacts, not parameters.
constexpr bool isFileKind(ir::TypeKind kind) {
  return kind == ir::TypeKind::File || kind == ir::TypeKind::Dir || kind == ir::TypeKind::Table;
}
/// Whether the JSON text of values of this kind is letters and digits alone.
constexpr bool isNumber(ir::TypeKind kind) {
  return kind == ir::TypeKind::Int || kind == ir::TypeKind::Float || kind == ir::TypeKind::Bool;
}

/// Whether the value is a text by itself.
constexpr bool isText(ir::TypeKind kind) {
  return isFileKind(kind) || kind == ir::TypeKind::String || kind == ir::TypeKind::Enum ||
         kind == ir::TypeKind::Timestamp;
}

class Emitter {
 public:
  Emitter(const ir::Module& module, const EmitOptions& options, const Settings& settings,
          const TextSink& out, DiagnosticSink& diags);
  bool run();
  /// Makes `run` measure.
  void measureInto(Sizes& sizes) { sizes_ = &sizes; }

 private:
  // ---- values.cpp: leaves, references, JSON text, expressions
  std::vector<Leaf> leavesOf(ir::TypeId type) const;
  void addLeaves(ir::TypeId type, Path& path, bool optional, std::vector<Leaf>& out) const;
  [[nodiscard]] bool holdsFiles(ir::TypeId type) const;
  /// Walks fields and records back to the node that makes the value; `path` grows at its front.
  [[nodiscard]] ir::NodeId base(ir::NodeId node, Path& path) const;
  struct Place {
    Path leaf;        ///< path of the leaf within the base node's value
    Path rest;        ///< fields within the leaf's JSON
    ir::TypeId type;  ///< of the leaf
    ir::TypeId restType;
    bool artifact = false;
    bool optional = false;
    bool packed = false;  ///< of a part: one parameter, `leaf` is empty
  };
  std::optional<Place> place(ir::NodeId base, const Path& path) const;
  std::optional<Ref> reference(Scope& scope, ir::NodeId base, const Place& place);
  Text text(Scope& scope, ir::NodeId node, Path path);
  Text textOf(Scope& scope, ir::NodeId base, const Path& path, ir::TypeId type);
  std::string expr(Scope& scope, ir::NodeId node, Path path = {});
  std::optional<ArtifactArg> artifact(Scope& scope, ir::NodeId node, Path path, Span at);
  std::string encode(std::string expr, ir::TypeId type) const;
  std::string decode(const Ref& ref, ir::TypeId type) const;
  std::string decode(const std::string& json, ir::TypeId type) const;
  /// Fields of a value, one in another.
  std::string members(std::string of, ir::TypeId type, std::span<const std::string> fields) const;
  std::string coerce(std::string expr, ir::TypeId type) const;
  [[nodiscard]] bool isTotal(ir::NodeId node) const;
  [[nodiscard]] ir::TypeId fieldType(ir::TypeId type, std::string_view field) const;

  // ---- parts.cpp: workflows of their own that the parent runs (docs/backends/argo.md, "Parts")
  void findParts();
  void beginDocument();
  void writePart(ir::FuncId func);
  std::string writeRunner(ir::FuncId func);
  [[nodiscard]] std::vector<std::string> partInputs(ir::FuncId func) const;
  void refuseFiles(Span at);
  /// Says what an engine of today does not take.
  void checkCount(Span at, std::string_view what, std::int64_t count, std::string_view of,
                  std::int64_t most);
  /// Notes how large it came out, and says when that is too large.
  void endDocument(ir::FuncId func, std::size_t bytes);
  void partCall(Scope& scope, ir::NodeId node, TaskCall& call);
  /// All that a part gives, as it is.
  void giveBundle(Scope& scope, ir::NodeId value, const std::string& param, TaskCall& call);
  /// Whether it is a parameter of a part, the call of one or of a group, or what these give.
  [[nodiscard]] bool isPacked(ir::NodeId node) const;
  /// The part whose result a packed value is, an object of texts by field; else invalid.
  [[nodiscard]] ir::FuncId bundle(ir::NodeId node) const;
  [[nodiscard]] ir::TypeId bundleField(ir::FuncId part, const std::string& name) const;
  /// Lists after each other, where each is known to have items; nothing where one is not.
  std::optional<Text> joinedLists(Scope& scope, std::span<const ir::NodeId> lists);
  Text packedText(Scope& scope, ir::NodeId node, const Path& path);
  std::string packedExpr(Scope& scope, ir::NodeId node, const Path& path);
  std::string packedKey(Scope& scope, ir::NodeId node, const Path& path);
  /// Where a step puts a file that goes to another part, below the folder of the workflow.
  [[nodiscard]] std::string filePlace(ir::NodeId step, std::string_view output) const;
  [[nodiscard]] std::string runFolder() const;
  /// The node that makes a file, whatever groups it came out of.
  [[nodiscard]] ir::NodeId fileMaker(ir::NodeId value, Path& path) const;
  /// Follows a value to where it was made, whatever parts it came through.
  [[nodiscard]] ir::NodeId origin(ir::NodeId node, Path& path) const;

  // ---- chosen_files.cpp: files that are known by their key alone (docs/backends/argo.md, "Files")
  void findChosenFiles();
  void markMakers(ir::NodeId value, Path path);
  /// An expression for the key of a file, or nil where there is none.
  std::string keyExpr(Scope& scope, ir::NodeId node, Path path, Span at);
  std::optional<std::vector<std::string>> keysOfEach(Scope& scope, ir::NodeId list, Path path,
                                                     Span at);
  /// The key of what is at `path` of that step, as an expression.
  std::string stepKey(Scope& scope, ir::NodeId step, const Path& path, Span at);
  std::string stepFolder(Scope& scope, std::string_view task) const;
  /// Where a scope's steps put their files.
  std::string folderOf(Scope& scope) const;
  [[nodiscard]] bool givesKey(ir::NodeId node) const;

  // ---- expressions.cpp
  std::string opExpr(Scope& scope, ir::NodeId node);
  std::string constExpr(const ir::Value& value) const;

  // ---- containers.cpp: one template a task (and shape of its file lists)
  struct Shape {
    enum class List : std::uint8_t { None, Folder, Each };
    std::vector<List> lists;                      ///< a parameter: how a list of files comes
    std::vector<std::vector<std::string>> names;  ///< `Each`: base names of the files
    bool keyed = false;                           ///< file outputs go where the input `key` says
    bool operator<(const Shape& other) const {
      return std::tie(lists, names, keyed) < std::tie(other.lists, other.names, other.keyed);
    }
  };
  struct Container {
    std::string name;
    std::vector<std::string> baseNames;  ///< a parameter: default base name of the file
  };
  const Container& container(ir::TaskId task, const Shape& shape,
                             const std::vector<std::string>& baseNames);
  void writeContainer(ir::TaskId task, const Shape& shape, const Container& made);
  void writeContainerInputs(YamlWriter& w, const ir::TaskDef& task, const Shape& shape,
                            const Container& made);
  void writeContainerOutputs(YamlWriter& w, const ir::TaskDef& task, const Shape& shape);
  void writeRetry(YamlWriter& w, const ir::TaskDef& task);
  // memoize.cpp
  void writeMemoize(YamlWriter& w, const ir::TaskDef& task, const Digest& process);
  void writeLocation(YamlWriter& w, std::string_view key);
  [[nodiscard]] Encoding outputEncoding(const ir::OutputDef& output) const;

  // ---- process.cpp: what a container runs
  struct Process;
  /// Gives a digest of what runs: the image, the command, the environment.
  Digest writeProcess(YamlWriter& w, const ir::TaskDef& task);
  void bindParameters(const Process& process);
  std::string encodedText(Process& process, ir::NodeId node);
  void addWords(Process& process);
  void addScript(Process& process);
  void addEnvironment(Process& process);
  void addOutputs(Process& process);
  void checkLengths(const Process& process);
  void writeEnvironment(YamlWriter& w, const Process& process);
  /// Of a type, or of what it is optional of.
  [[nodiscard]] ir::TypeKind kindOf(ir::TypeId type) const;

  // ---- control.cpp: steps, calls, if, for, loop, try
  bool hasSteps(ir::RegionId region) const { return stepful_[region.index()]; }
  void markStepful();
  void findTaskFacts();
  void writeTasks(Scope& scope, ir::RegionId region, YamlWriter& w);
  /// Whether it is a task.
  bool writeNode(Scope& scope, ir::NodeId node, const BodyNames& names, YamlWriter& w);
  void stepCall(Scope& scope, ir::NodeId node, TaskCall& call);
  std::string constantText(Scope& scope, ir::NodeId id, const std::string& name);
  void giveValue(Scope& scope, ir::NodeId value, const ir::ParamDef& param, TaskCall& call);
  void plainStepCall(Scope& scope, ir::NodeId node, TaskCall& call);
  /// What most arguments are, without detours: a plain output of a step of the same template.
  bool giveOutput(Scope& scope, ir::NodeId operand, const ir::ParamDef& param, TaskCall& call);
  void funcCall(Scope& scope, ir::NodeId node, TaskCall& call);
  void ifCall(Scope& scope, ir::NodeId node, TaskCall& call);
  void forCall(Scope& scope, ir::NodeId node, TaskCall& call);
  void loopCall(Scope& scope, ir::NodeId node, TaskCall& call);
  void tryCall(Scope& scope, ir::NodeId node, TaskCall& call);
  void writeTask(YamlWriter& w, const TaskCall& call);
  void writeArtifact(YamlWriter& w, const ArtifactArg& artifact);
  void giveArgument(Scope& scope, TaskCall& call, const Leaf& leaf, const std::string& name,
                    ir::NodeId node, Span at);
  void giveCaptures(Scope& outer, const Scope& inner, TaskCall& call);
  /// A list of files as the JSON list of their keys in the object store, or nothing (reported).
  std::optional<Text> fileKeys(Scope& scope, ir::NodeId node, Span at);
  [[nodiscard]] std::string baseName(ir::NodeId node, Path path, std::string_view fallback) const;
  bool giveFiles(Scope& scope, ir::NodeId node, const ir::ParamDef& param, std::size_t index,
                 Shape& shape, TaskCall& call, Span at);
  /// Text of a task's parameters through `inputs` of a wrapper with the same names.
  static void passInputs(const std::vector<Capture>& captures, TaskCall& call);
  std::string collectFolder(std::string_view name) const;
  void dependOn(Scope& scope, ir::NodeId base);
  void dependOnOrder(Scope& scope, ir::NodeId node);
  struct Input {
    std::string name;
    bool artifact = false;
    bool optional = false;
    std::optional<std::string> raw;
    std::optional<std::string> key;
  };
  struct Output {
    std::string name;
    bool artifact = false;
    bool optional = false;
    std::string expression;  ///< or `fromExpression`
    std::string parameter;   ///< or a plain reference (`from`)
    bool global = false;     ///< also an output of the workflow, of the same name
  };
  [[nodiscard]] std::vector<Output> partOutputs(Scope& scope, ir::FuncId func);
  [[nodiscard]] std::vector<Input> groupInputs(ir::FuncId func) const;
  /// Of what a node with bodies is: that of its task, if it is not one for many.
  std::string templateName(ir::NodeId id, const TaskCall& call, std::string_view kind) const;
  std::vector<Input> inputsOf(const Scope& scope) const;
  void writeInputs(YamlWriter& w, const std::vector<Input>& inputs);
  void writeOutputs(YamlWriter& w, const std::vector<Output>& outputs);
  /// A DAG template whose tasks are already text.
  /// Gives its name, or with `share` that of one that is there and has all else in common.
  std::string writeDag(const std::string& name, const std::vector<Input>& inputs,
                       std::string_view tasks, const std::vector<Output>& outputs, bool share);
  struct Result {
    ir::NodeId node;
    ir::TypeId type;   ///< as which it is wanted
    std::string name;  ///< of its output
    bool keyed = false;  ///< files are wanted by their keys, as parameters beside the artifacts
    bool wrapped =
        false;  ///< JSON text as a JSON string, so that Argo's own lists keep it as it is
  };
  /// The template of a region with steps: its tasks, `extra` inputs, its results as outputs.
  void writeRegion(Scope& scope, ir::RegionId region, const std::vector<Input>& extra,
                   const std::vector<Result>& results);
  void resultOutputs(Scope& scope, const Result& result, std::vector<Output>& out);
  Scope& childScope(Scope& parent, ir::NodeId owner, ir::RegionId region, std::string_view name,
                    std::string_view task);
  std::vector<Input> paramInputs(Scope& scope, ir::NodeId param);
  /// Regions without steps are read in the scope of their owner.
  void adopt(Scope& scope, ir::RegionId region);

  // ---- emit.cpp: the manifest
  bool prepare();
  void writeManifest();
  void writeHead(YamlWriter& w, std::string_view kind, std::string_view name);
  void writeSettings(YamlWriter& w, bool part);
  void writeWorkflowArguments(YamlWriter& w);
  void writeEntry(YamlWriter& w);
  void writeFunction(ir::FuncId func, bool once = false);
  std::string groupTemplate(const Scope& caller, ir::FuncId func);
  std::vector<Input> functionInputs(const ir::FuncDef& func, bool entry);
  std::vector<Output> functionOutputs(Scope& scope, const ir::FuncDef& func);
  void writeFinally(ir::FuncId func, Scope& scope, const std::string& name, bool entry);
  std::string functionTemplate(ir::FuncId func);

  // ---- shared
  template <Diag D, class... Args>
  void refuse(Span at, std::string note, Args&&... args) {
    ok_ = false;
    if (at == refusedTune_) return;
    Diagnostic d = diagnose<D>(at, std::forward<Args>(args)...);
    if (!note.empty()) d.note(std::move(note));
    diags_.take(std::move(d));
  }
  void unsupported(Span at, std::string_view what, std::string note) {
    refuse<Diag::BackendUnsupported>(at, std::move(note), "argo", what);
  }
  [[nodiscard]] const ir::Node& node(ir::NodeId id) const { return module_.at(id); }
  [[nodiscard]] std::string label(ir::NodeId id) const;
  static std::string joined(std::string_view base, const Path& path);
  template <class Body>
  void template_(Body&& body) {  // appends to the templates that follow the entry
    ++templates_;
    YamlWriter w([this](std::string_view t) { rest_ += t; }, 1);
    w.beginList();
    body(w);
    w.endList();
  }

  static constexpr std::string_view kUidInTag = "workflow.uid";
  /// Expressions of outputs know no `workflow`, but tags in them are filled in before.
  static constexpr std::string_view kUidInOutput = "\"{{workflow.uid}}\"";

  std::string indexExpr(Scope& scope, ir::NodeId index);
  std::optional<std::vector<std::string>> fieldsOfEach(Scope& scope, ir::NodeId id);
  std::string refuseTune(Span at, std::string_view what);

  Span refusedTune_;  ///< said once; all that it became has its span
  const ir::Module& module_;
  const EmitOptions& options_;
  const Settings& settings_;
  const TextSink& out_;
  DiagnosticSink& diags_;
  bool ok_ = true;

  std::string rest_;                     // templates other than the entry's
  NameTable templateNames_{50};          // pods' names have the template's name and more in them
  std::vector<bool> stepful_;            // a region: whether a step is inside
  std::vector<Scope*> scopeOf_;          // a region: the template that its nodes belong to
  std::vector<bool> used_;               // a node: whether anything uses its value
  std::vector<std::uint32_t> taskName_;  // a node: into names_; 0: none
  std::vector<std::string_view> names_;  // of tasks; the tables of their scopes hold them
  std::vector<std::uint32_t> stamp_;     // a node: last task that depends on it
  std::uint32_t stampNow_ = 0;           // the task at hand
  std::uint32_t stamps_ = 0;
  std::vector<std::string_view>* deps_ = nullptr;
  TaskCall stepCall_;                        // of the step at hand
  std::map<ir::NodeId, std::string> bound_;  // parameters of closures and such: their expression
  std::map<ir::NodeId, std::string> boundText_;  // the same for their JSON text
  std::map<Digest, std::string> shared_;  // templates of bodies by what they have but their name
  std::map<std::pair<ir::TaskId, Shape>, Container> containers_;
  struct TaskFacts {
    bool filesIn = false, filesOut = false;
    const Container* plain = nullptr;  // the template of steps without files
  };
  std::vector<TaskFacts> taskFacts_;
  std::vector<std::string> functions_;  // a function: its template; empty: not yet asked for
  std::vector<ir::FuncId> functionQueue_;
  std::deque<std::unique_ptr<Scope>> scopes_;
  std::size_t depth_ = 0;  // of the expression at hand
  std::size_t regionDepth_ = 0;
  bool hasOnExit_ = false;
  std::size_t bytes_ = 0;
  static constexpr std::uint32_t kNoChunk = 0xffffffffU;  // a file of a group
  struct PartFacts {
    ir::NodeId call;
    std::string name;      // of its WorkflowTemplate
    std::string runner;    // the template of the parent that runs it
    std::vector<ir::FuncId> sources;   // by parameter: the part whose result it is, else invalid
    std::vector<std::uint32_t>
        chunk;  // by field of its result: which of its outputs it is in, or kNoChunk
    std::uint32_t chunks = 0;
    std::unordered_map<std::string_view, std::uint32_t> fields;  // by name
  };
  std::map<ir::FuncId, PartFacts> parts_;
  std::vector<ir::FuncId> partOf_;  // by region: the part whose body it is, else invalid
  std::vector<bool> keyed_;         // by node: its files are wanted by their keys
  std::string_view uid_ = kUidInTag;  // how an expression names the workflow's uid
  Sizes* sizes_ = nullptr;
  std::int64_t templates_ = 0;  // of the document at hand
  std::int64_t containerCount_ = 0;
  std::size_t containerBytes_ = 0;  // of all that were written
};

/// Values of a part's result in one output of it: expr-lang takes expressions of 10,000 nodes, and
/// a value is some eleven.
inline constexpr std::size_t kValuesAtOnce = 500;
[[nodiscard]] std::string chunkName(std::size_t chunk);

}  // namespace couler::backends::argo
