#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/column/plan.h"

namespace couler::column {

/// What is known of the scalars between a plan's tables.
using Scalars = std::vector<std::pair<ir::NodeId, ir::Value>>;

/// Turns the nodes of a plan into sources, from the results back to the files. All that is given outlives the
/// sources.
class PlanSources {
 public:
  /// `large`: the inputs are, so that compiling and threads are worth it.
  PlanSources(const ir::Module& module, const PlanOptions& options, const Scalars& scalars,
              AnomalyLog& log, bool large)
      : module_(module),
        options_(options),
        limits_(options.limits),
        scalars_(scalars),
        log_(log),
        large_(large) {
    if (!large) limits_.threads = 1;
  }

  /// Files of `read`s and tables of parameters.
  std::function<std::string(ir::NodeId)> pathOf;
  /// Opens a table parameter.
  std::function<std::unique_ptr<Source>(ir::NodeId, const Schema&, const ReadOptions&,
                                        StreamError&)>
      openTable;
  /// The paths of a list of tables, and one of them as `openTable` opens it.
  std::function<const std::vector<std::string>&(ir::NodeId)> pathsOf;
  std::function<std::unique_ptr<Source>(const std::string&, const Schema&,
                                        const std::vector<bool>& wanted, StreamError&)>
      openPart;
  /// The rows of a file parameter, instead of those of the file at its path; may be empty.
  std::function<std::unique_ptr<Source>(ir::NodeId)> openRead;

  /// `wanted`: which of the table's columns are looked at; empty: all. Null: see `error`.
  std::unique_ptr<Source> build(ir::NodeId id, std::vector<bool> wanted = {}) {
    return make(id, std::move(wanted));
  }
  [[nodiscard]] const StreamError& error() const { return error_; }

 private:
  using Made = std::unique_ptr<Source>;

  Made fail(std::string message);
  [[nodiscard]] ir::TypeId rowType(ir::NodeId table) const;
  [[nodiscard]] Schema schemaOfTable(ir::NodeId table) const;
  [[nodiscard]] std::string nameOf(ir::NodeId id) const;
  /// `wanted`: which of the table's columns are looked at; empty: all.
  Made make(ir::NodeId id, std::vector<bool> wanted);
  /// The rows of `table` for a plan over them. Where it is a file, its readers know how the plan's
  /// filters begin.
  Made filtered(ir::NodeId table, const RowPlan& plan, std::vector<bool> wanted);
  Made openParam(ir::NodeId param, ReadOptions how);
  [[nodiscard]] ir::NodeId operand(ir::NodeId id, std::size_t i) const;
  [[nodiscard]] RowPlan planOf(ir::NodeId input, std::vector<ir::NodeId> stages) const;
  std::unique_ptr<Kernel> kernel(RowPlan plan);
  /// One for each thread. Where only the first rows are asked for there is one thread: others would
  /// read ahead, and find what is wrong with rows that nobody needs.
  Kernels kernels(const RowPlan& plan);
  /// What needs all rows of its input, even if not all of its own are asked for.
  template <class Build>
  Made whole(Build&& build) {
    const bool limited = std::exchange(limited_, false);
    Made made = build();
    limited_ = limited;
    return made;
  }
  bool storable(const Schema& schema);
  /// A column for each result of a body: of its type, or of what an aggregate adds up.
  [[nodiscard]] Schema resultsSchema(std::span<const ir::NodeId> results) const;
  [[nodiscard]] std::string_view ruleOf(ir::NodeId result) const;
  Made read(ir::NodeId id, const ir::Rows& rows, ReadOptions options);
  /// What a body gives for each row of `table`, after the filters and maps right before it.
  Made bodyOver(ir::NodeId table, ir::RegionId body, const Schema& out, const std::string& name);
  /// The wanted columns of a table's rows with the results first … first + count of a body in
  /// columns after them.
  Made keyed(ir::NodeId table, ir::RegionId body, std::uint32_t param, std::uint32_t first,
             std::uint32_t count, const std::string& name, const std::vector<bool>& wanted);
  Made group(ir::NodeId id, const ir::Rows& rows);
  /// Which columns are wanted.
  [[nodiscard]] static std::vector<std::uint32_t> placesOf(const std::vector<bool>& wanted,
                                                           std::size_t columns);
  [[nodiscard]] static Schema columnsAt(const Schema& schema,
                                        const std::vector<std::uint32_t>& places);
  Made sort(ir::NodeId id, const ir::Rows& rows, const std::vector<bool>& wanted);
  [[nodiscard]] const ir::Value* scalar(ir::NodeId id) const;
  Made limit(ir::NodeId id, std::vector<bool> wanted);
  Made join(ir::NodeId id, const ir::Rows& rows, const std::vector<bool>& wanted);

  const ir::Module& module_;
  const PlanOptions& options_;
  Limits limits_;
  const Scalars& scalars_;
  AnomalyLog& log_;
  bool large_;
  bool limited_ = false;  ///< only some first rows of what is being built are asked for
  StreamError error_;
};

}  // namespace couler::column
