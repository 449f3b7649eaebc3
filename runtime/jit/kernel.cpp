#include <algorithm>
#include <cstring>
#include <mutex>
#include <span>
#include <unordered_map>

#include <fmt/format.h>

#include "runtime/jit/helpers.h"
#include "runtime/jit/library.h"
#include "runtime/jit/loader.h"
#include "runtime/jit/lower.h"
#include "runtime/jit/lower_types.h"
#include "runtime/jit/object_cache.h"
#include "runtime/jit/schedule.h"
#include "runtime/jit/self_test.h"
#include "support/hash.h"

namespace couler::jit {

namespace {

using column::Batch;
using column::Buffer;
using column::Column;
using column::RowError;
using column::RowPlan;

constexpr std::size_t kTextBytes = sizeof(column::Text);
static_assert(kTextBytes == 16 && sizeof(Cell) == 24);

class JitKernel final : public column::Kernel {
 public:
  JitKernel(RowPlan plan, std::unique_ptr<Program> program, std::shared_ptr<const Compiled> code)
      : plan_(std::move(plan)),
        program_(std::move(program)),
        code_(std::move(code)),
        context_(contextFor(*program_)) {
    const Schedule schedule = scheduleOf(*program_);
    for (const auto& loop : schedule.filters) {
      spills_.insert(spills_.end(), loop.spills.begin(), loop.spills.end());
    }
  }

  /// Lays out the outer values and literals. False without memory.
  bool start(std::string& why) {
    std::size_t bytes = 0;
    const auto textOf = [&](std::size_t i) -> const std::string* {
      if (i >= plan_.outer.size()) return &program_->literals[i - plan_.outer.size()];
      return plan_.outer[i].second.as<std::string>();
    };
    const std::size_t count = plan_.outer.size() + program_->literals.size();
    for (std::size_t i = 0; i < count; ++i) {
      if (const std::string* text = textOf(i)) bytes += text->size();
    }
    const auto heap = Buffer::make(bytes);
    if (!heap) {
      why = "there is no memory";
      return false;
    }
    char* at = heap->as<char>();
    for (std::size_t i = 0; i < count; ++i) {
      Cell& cell = outer_.emplace_back();
      if (const std::string* text = textOf(i)) {
        std::memcpy(at, text->data(), text->size());
        cell = {static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(at)),
                static_cast<std::int64_t>(text->size()), 1};
        at += text->size();
        continue;
      }
      if (plan_.outer[i].second.isNone()) continue;
      cell = {outerBits(i), 0, 1};
    }
    literals_ = heap;
    return true;
  }

  bool run(const Batch& in, Batch& out, RowError& error) override {
    context_->outOfMemory = false;
    if (compiledRun(in, out)) return true;
    // Some row has an error, or there is no memory: which and why, the evaluator finds.
    context_->arena.reuse();
    if (!evaluator_) evaluator_ = column::evaluatorKernel(plan_);
    return evaluator_->run(in, out, error);
  }

 private:
  std::int64_t outerBits(std::size_t i) const {
    const auto& [node, value] = plan_.outer[i];
    const ir::TypeTable& types = plan_.module->types;
    ir::TypeId type = plan_.module->at(node).type;
    if (types.kind(type) == ir::TypeKind::Optional) type = types[type].element;
    for (const Kind kind : {Kind::Bool, Kind::Int, Kind::Float, Kind::Timestamp, Kind::Duration,
                            Kind::Size, Kind::Enum}) {
      if (const auto bits = bitsOf(value, kind, types[type].cases)) return *bits;
    }
    return 0;
  }

  bool compiledRun(const Batch& in, Batch& out) {
    const auto rows = static_cast<std::size_t>(in.rows);
    // What does not depend on the batch could be kept; it is little beside the rows.
    columns_.clear();
    valid_.clear();
    if (ones_.size() < rows) ones_.assign(rows, 1);
    for (const Program::Input& input : program_->inputs) {
      const Column& column = in.columns[input.field];
      if (!column.values && rows > 0) return false;
      columns_.push_back(column.values ? column.values->data() : nullptr);
      valid_.push_back(column.valid ? column.valid->as<std::uint8_t>() : ones_.data());
    }
    Frame frame;
    frame.rows = in.rows;
    frame.kept = in.rows;
    frame.columns = columns_.data();
    frame.valid = valid_.data();
    frame.outer = outer_.data();
    frame.context = context_.get();
    frame.arena = context_->arena.cursor();
    if (program_->filters) {
      if (picked_.size() < rows + 16) {
        picked_.resize(rows + 16);
        mask_.resize(rows + 64);
      }
      frame.picked = picked_.data();
      frame.mask = mask_.data();
      if (!spills_.empty()) makeSpills(frame, rows);
      frame.kept = code_->filter(&frame);
      if (frame.kept < 0) return false;
    }
    Batch made;
    made.rows = frame.kept;
    if (!project(in, frame, made) || context_->outOfMemory) return false;
    numberRows(in, made);
    out = std::move(made);
    return true;
  }

  void makeSpills(Frame& frame, std::size_t rows) {
    if (spilled_.empty()) {
      spilled_.resize(program_->exprs.size());
      spilledFlags_.resize(program_->exprs.size());
    }
    if (spillRows_ < rows) {
      spillRows_ = rows;
      spillMemory_.clear();
      for (const ExprId id : spills_) {
        auto& values = spillMemory_.emplace_back(rows * (kTextBytes + 1));
        spilled_[id] = values.data();
        spilledFlags_[id] = values.data() + rows * kTextBytes;
      }
    }
    frame.spilled = spilled_.data();
    frame.spilledFlags = spilledFlags_.data();
  }

  bool project(const Batch& in, Frame& frame, Batch& made) {
    const auto kept = static_cast<std::size_t>(frame.kept);
    outputs_.assign(program_->outputs.size(), nullptr);
    outputValid_.assign(program_->outputs.size(), nullptr);
    made.columns.resize(program_->outputs.size());
    bool computes = false;
    bool texts = false;
    for (std::size_t i = 0; i < program_->outputs.size(); ++i) {
      const Output& output = program_->outputs[i];
      Column& column = made.columns[i];
      if (!output.computed) {
        pass(in.columns[output.field], plan_.input.fields[output.field], in, frame, column);
        continue;
      }
      computes = true;
      const Kind kind = program_->exprs[output.expr].kind;
      texts = texts || kind == Kind::String;
      const auto values = Buffer::make(widthOfKind(kind) * kept);
      if (!values) return false;
      outputs_[i] = values->data();
      column.values = values;
      if (output.optional) {
        const auto valid = Buffer::make(kept);
        if (!valid) return false;
        outputValid_[i] = valid->as<std::uint8_t>();
        column.valid = valid;
      }
    }
    frame.outputs = outputs_.data();
    frame.outputValid = outputValid_.data();
    if ((computes || checks_) && code_->project(&frame) < 0) return false;
    for (Column& column : made.columns) {
      if (column.valid && std::memchr(column.valid->data(), 0, kept) == nullptr) {
        column.valid = nullptr;
      }
    }
    shareHeaps(in, texts, made);
    return true;
  }

  static std::size_t widthOfKind(Kind kind) {
    switch (kind) {
      case Kind::Bool:
        return 1;
      case Kind::Enum:
        return 4;
      case Kind::String:
        return kTextBytes;
      default:
        return 8;
    }
  }

  /// A column of the input, as it is or of the rows kept.
  void pass(const Column& from, const column::Field& field, const Batch& in, const Frame& frame,
            Column& to) const {
    if (!program_->filters || frame.kept == in.rows) {
      to = from;
      return;
    }
    to = column::pickCells(from, field.kind,
                           std::span(picked_).first(static_cast<std::size_t>(frame.kept)));
  }

  /// Texts may point into the input's, into those made here, and into the plan's own.
  void shareHeaps(const Batch& in, bool texts, Batch& made) {
    if (!texts) {
      context_->arena.reuse();
      return;
    }
    std::vector<std::shared_ptr<const Buffer>> heaps = context_->arena.give();
    heaps.push_back(literals_);
    for (const Program::Input& input : program_->inputs) {
      if (input.kind != Kind::String) continue;
      for (const auto& heap : in.columns[input.field].heaps) {
        if (std::find(heaps.begin(), heaps.end(), heap) == heaps.end()) heaps.push_back(heap);
      }
    }
    for (std::size_t i = 0; i < program_->outputs.size(); ++i) {
      const Output& output = program_->outputs[i];
      if (!output.computed || program_->exprs[output.expr].kind != Kind::String) continue;
      made.columns[i].heaps = heaps;
    }
  }

  void numberRows(const Batch& in, Batch& made) const {
    made.firstRow = in.firstRow;
    if (!program_->filters || made.rows == in.rows) {
      made.rowIds = in.rowIds;
      return;
    }
    if (made.rows == 0) return;
    made.rowIds.resize(static_cast<std::size_t>(made.rows));
    for (std::size_t i = 0; i < made.rowIds.size(); ++i) {
      const auto row = static_cast<std::size_t>(picked_[i]);
      made.rowIds[i] =
          in.rowIds.empty() ? in.firstRow + static_cast<std::int64_t>(row) : in.rowIds[row];
    }
    made.firstRow = made.rowIds.front();
  }

  RowPlan plan_;
  std::unique_ptr<Program> program_;
  std::shared_ptr<const Compiled> code_;
  std::unique_ptr<Context> context_;
  std::unique_ptr<column::Kernel> evaluator_;
  bool checks_ = true;
  std::shared_ptr<const Buffer> literals_;
  std::vector<Cell> outer_;
  std::vector<ExprId> spills_;
  // Of the batch at hand; kept for the next.
  std::vector<const void*> columns_;
  std::vector<const std::uint8_t*> valid_;
  std::vector<std::uint8_t> ones_;
  std::vector<std::int32_t> picked_;
  std::vector<std::uint8_t> mask_;
  std::vector<void*> outputs_;
  std::vector<std::uint8_t*> outputValid_;
  std::size_t spillRows_ = 0;
  std::vector<std::vector<std::uint8_t>> spillMemory_;
  std::vector<void*> spilled_;
  std::vector<std::uint8_t*> spilledFlags_;
};

/// The engine, if what it makes can be trusted: that is tried once a process.
Engine* trusted(std::string& why) {
  Engine* compiler = engine(why);
  if (compiler == nullptr) return nullptr;
  static const std::string kProblem = [&] {
    std::string problem;
    if (passesSelfTest(*compiler, ObjectCache::fromEnvironment(), problem)) problem.clear();
    return problem;
  }();
  if (kProblem.empty()) return compiler;
  why = kProblem;
  return nullptr;
}

/// The code of a key: that of another kernel, an object file's, or new.
std::shared_ptr<const Compiled> codeFor(const std::string& key, const Program& program,
                                        Engine& compiler, std::string& why) {
  static std::mutex mutex;
  static std::unordered_map<std::string, std::weak_ptr<const Compiled>> inUse;
  const std::lock_guard lock(mutex);
  std::weak_ptr<const Compiled>& known = inUse[key];
  std::shared_ptr<const Compiled> code = known.lock();
  if (code) return code;
  const ObjectCache cache = ObjectCache::fromEnvironment();
  if (const auto object = cache.find(key)) {
    std::string ignored;  // then it is made anew
    code = compiler.load(*object, ignored);
  }
  if (!code) {
    const std::string object = compiler.compile(program, why);
    if (object.empty()) return nullptr;
    code = compiler.load(object, why);
    if (!code) return nullptr;
    cache.store(key, object);
  }
  known = code;
  return code;
}

}  // namespace

bool available(std::string& why) { return trusted(why) != nullptr; }

std::unique_ptr<column::Kernel> jitKernel(column::RowPlan plan, std::string& why) {
  std::unique_ptr<Program> program = lower(plan, why);
  if (!program) return nullptr;
  Engine* compiler = trusted(why);
  if (compiler == nullptr) return nullptr;
  Hasher hasher;
  hasher.field(canonicalText(*program));
  hasher.field(compiler->target());
  hasher.field(libraryStamp());
  auto code = codeFor(hasher.finish().hex(), *program, *compiler, why);
  if (!code) return nullptr;
  auto kernel = std::make_unique<JitKernel>(std::move(plan), std::move(program), std::move(code));
  if (!kernel->start(why)) return nullptr;
  return kernel;
}

}  // namespace couler::jit
