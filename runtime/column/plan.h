#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ir/module.h"
#include "runtime/column/kernel.h"
#include "runtime/column/operators.h"
#include "runtime/column/stream.h"

/// Runs the plan of a task whose RunKind is Table: files in, files out.
namespace couler::column {

/// Makes a kernel by other means than the evaluator, or gives null and the reason.
using KernelMaker = std::function<std::unique_ptr<Kernel>(const RowPlan& plan, std::string& why)>;

struct PlanOptions {
  Limits limits;  ///< threads: for inputs of more bytes than `compileFrom`
  /// For inputs of more bytes than `compileFrom`; null: never.
  KernelMaker compile;
  std::int64_t compileFrom = std::int64_t{4} << 20;
  /// Whether readers may leave out what filters drop; the rows are the same.
  bool pushDown = true;
  /// Where to count what the reads find, also when the run fails; null: nowhere but the result.
  AnomalyLog* anomalies = nullptr;
  /// Told, once a pipeline, how it runs: "compiled" or why not.
  std::function<void(std::string_view)> trace;
};

/// A parameter of the plan: the path of a file or table, those of a list of tables, or a scalar.
struct PlanInput {
  std::string path;
  ir::Value value;
  std::vector<std::string> paths{};
};
struct PlanOutput {
  std::string path;    ///< of the file to make; none may be there. Empty: the rows are counted
  std::string format;  ///< csv, jsonl, arrow, parquet
};

struct PlanResult {
  std::vector<std::int64_t> rows;  ///< of each output; -1: it is a value, written as its text
  AnomalyLog anomalies;            ///< of all reads
};

/// Inputs as the task's parameters, outputs as its outputs. A node used by two outputs is computed
/// for each. All outputs are made, or none. Pre: the module is verified and the plan's calls are inlined.
[[nodiscard]] std::variant<PlanResult, StreamError> runPlan(const ir::Module& module,
                                                            ir::TaskId task,
                                                            const std::vector<PlanInput>& inputs,
                                                            const std::vector<PlanOutput>& outputs,
                                                            const PlanOptions& options);

/// What the columns of a read are called in the file, by field; `names` stays empty where all are called as in
/// the schema. Gives how many results of the read's body say so, which are its first (docs/ir.md).
std::size_t namesInFile(const ir::Module& module, ir::RegionId body, const Schema& schema,
                        std::vector<std::string>& names);

/// The same as `runPlan` for a plan whose tables, and the rows of the files that it reads, are given as sources;
/// for tests and benchmarks. Null and an error otherwise.
[[nodiscard]] std::unique_ptr<Source> openPlan(
    const ir::Module& module, ir::NodeId table,
    const std::function<std::unique_ptr<Source>(ir::NodeId param)>& tables,
    const std::vector<std::pair<ir::NodeId, ir::Value>>& scalars, const PlanOptions& options,
    AnomalyLog& log, StreamError& error);

}  // namespace couler::column
