#include "runtime/engine/preview.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "runtime/engine/command.h"
#include "runtime/engine/executor.h"
#include "runtime/engine/outputs.h"
#include "runtime/engine/secrets.h"
#include "runtime/store/files.h"
#include "runtime/store/history.h"
#include "runtime/store/store.h"
#include "runtime/store/why.h"

namespace couler::runtime {
namespace {

/// The arguments of the entry workflow as `run` would take them; the driver has checked them.
std::vector<ir::Value> bind(const ir::Module& module, const RunOptions& options) {
  std::vector<ir::Value> values;
  for (const ir::ParamDef& param : module.at(module.entry).params) {
    const auto given = std::find_if(options.inputs.begin(), options.inputs.end(),
                                    [&](const auto& input) { return input.first == param.name; });
    ir::Value value;
    if (given != options.inputs.end()) {
      value = given->second;
    } else if (param.fallback.valid()) {
      value = module.at(param.fallback);
    }
    auto absolute = mapFiles(value, [](const ir::FileRef& file) {
      return std::optional(ir::FileRef{absolutePath(file.path), file.digest, file.isDir});
    });
    values.push_back(absolute ? std::move(*absolute) : std::move(value));
  }
  return values;
}

/// Answers from the store where a run would start a process. What is not in the store is cancelled,
/// so that the executor goes on with all that does not need it.
class Foreseer final : public StepSink {
 public:
  Foreseer(const ir::Module& module, const RunOptions& options, Store* store,
           std::optional<History> history, const Secrets& secrets)
      : module_(module),
        options_(options),
        store_(store),
        history_(std::move(history)),
        seen_(module.nodes.size(), false) {
    if (store == nullptr) return;
    commands_ = std::make_unique<Commands>(module, options, *store, secrets);
    if (history_) last_ = history_->lastSteps(options.sourcePath, module.at(module.entry).name);
  }

  void run(Executor& executor) {
    executor_ = &executor;
    while (true) {
      executor.advance();
      if (inbox_.empty()) break;
      while (!inbox_.empty()) {
        Ready next = std::move(inbox_.front());
        inbox_.pop_front();
        answer(next);
      }
    }
    const auto* outputs = std::get_if<ir::Value>(&executor.result());
    if (outputs != nullptr && executor.finished() && !executor.failed()) {
      again({*outputs}, "it is an output");
    }
  }

  void ready(Token token, ir::NodeId node, std::vector<ir::Value> arguments) override {
    inbox_.push_back({token, node, std::move(arguments)});
  }
  std::uint32_t skipped(Token token, ir::NodeId node, bool /*cancelled*/) override {
    // The first that it waits for and that runs, by its place in `steps_`.
    const std::string after = executor_->after(token);
    std::size_t first = 0;
    std::from_chars(after.data(), after.data() + after.size(), first);
    std::string reason;
    if (first != 0) reason = fmt::format("it needs what `{}` makes", steps_[first - 1].step);
    add(executor_->stepName(token), node, Foresight::Depends, std::move(reason));
    return static_cast<std::uint32_t>(steps_.size());
  }

  /// Adds the steps of regions that were never entered: their list or condition is not known yet.
  std::vector<ForeseenStep> finish() {
    const ir::FuncDef& entry = module_.at(module_.entry);
    unseen(entry.body, "");
    if (entry.finally.valid()) unseen(entry.finally, "");
    return std::move(steps_);
  }

 private:
  struct Ready {
    Token token;
    ir::NodeId node;
    std::vector<ir::Value> arguments;
  };

  void add(std::string name, ir::NodeId node, Foresight foresight, std::string reason) {
    seen_[node.index()] = true;
    const ir::TaskDef& task = module_.at(module_.payload<ir::Step>(node)->task);
    const auto known = last_.find(name);
    const double seconds = known == last_.end() ? -1 : known->second.seconds;
    steps_.push_back({std::move(name), task.name, node, foresight, std::move(reason), seconds});
  }

  /// Why a step runs for which the store has nothing.
  std::string missing(const std::string& name, const TaskContext& context,
                      const std::vector<ir::Value>& arguments, const Digest& key) {
    const auto before = last_.find(name);
    if (before == last_.end()) return "it never ran before";
    if (before->second.key == key.hex()) {
      return before->second.seconds < 0 ? "it has not succeeded yet" : "its result is not kept";
    }
    std::vector<KeyPart> parts;
    commands_->eachKeyPart(context, arguments, [&](std::string_view part, std::string_view text) {
      parts.push_back({std::string(part), std::string(text)});
    });
    const std::string reason = smallestReason(history_->keyParts(before->second.key), parts);
    return reason.empty() ? "no run had this program with these inputs" : reason;
  }

  /// Steps whose files were evicted and are among `values` run after all.
  void again(const std::vector<ir::Value>& values, const std::string& why) {
    std::vector<const std::vector<ir::Value>*> todo{&values};
    while (!todo.empty()) {
      const std::vector<ir::Value>& next = *todo.back();
      todo.pop_back();
      for (const ir::Value& value : next) {
        eachFile(value, [&](const ir::FileRef& file) {
          const auto found = evicted_.find(file.path);
          if (found == evicted_.end()) return;
          const Evicted& maker = *found->second;
          ForeseenStep& step = steps_[maker.step];
          if (step.foresight == Foresight::Runs) return;
          step.foresight = Foresight::Runs;
          step.reason = "what it made was evicted, and " + why;
          todo.push_back(&maker.arguments);
        });
      }
    }
  }

  void answer(Ready& next) {
    const ir::TaskDef& task = module_.at(module_.payload<ir::Step>(next.node)->task);
    std::string name = executor_->stepName(next.token);
    const auto runs = [&](std::string reason) {
      again(next.arguments, fmt::format("`{}` reads it", name));
      add(std::move(name), next.node, Foresight::Runs, std::move(reason));
      executor_->cancel(next.token, static_cast<std::uint32_t>(steps_.size()));
    };
    if (task.isVolatile) return runs("it is volatile");
    if (!task.cache) return runs("its task says `cache false`");
    if (options_.force) return runs("--force");
    if (commands_ == nullptr) return runs("it never ran before");
    const TaskContext& context = commands_->of(module_.payload<ir::Step>(next.node)->task);
    if (const auto error = commands_->resolve(context, next.arguments)) return runs(error->message);
    const auto key = commands_->key(context, next.arguments);
    if (const auto* error = std::get_if<ir::EvalError>(&key)) return runs(error->message);
    const auto stored = store_->lookup(std::get<Digest>(key));
    if (!stored) {
      return runs(missing(name, context, next.arguments, std::get<Digest>(key)));
    }
    Decoded decoded = decodeOutputs(stored->outputs, task.result, module_.types, store_->objects(),
                                    stored->trusted ? Look::Quick : Look::Thorough);
    const bool evicted = stored->evicted && !decoded.value;
    if (evicted) {
      decoded =
          decodeOutputs(stored->outputs, task.result, module_.types, store_->objects(), Look::No);
    }
    if (!decoded.value) return runs(decoded.problem);
    add(std::move(name), next.node, Foresight::Reused, {});
    if (evicted) {
      const auto maker = std::make_shared<Evicted>();
      maker->step = steps_.size() - 1;
      maker->arguments = std::move(next.arguments);
      eachFile(*decoded.value, [&](const ir::FileRef& file) { evicted_[file.path] = maker; });
    }
    executor_->succeed(next.token, std::move(*decoded.value), 0);
  }

  /// Recurses over nested regions and calls, which lowering bounds.
  void unseen(ir::RegionId region, const std::string& prefix) {
    for (const ir::NodeId id : module_.at(region).nodes) {
      const ir::Node& node = module_.at(id);
      const auto named = [&](const std::string& other) {
        return prefix + (node.name.valid() ? std::string(module_.at(node.name)) : other);
      };
      if (const auto* step = std::get_if<ir::Step>(&node.payload)) {
        if (seen_[id.index()]) continue;
        add(named(module_.at(step->task).name) + items_, id, Foresight::Depends,
            "how often is known at run time");
      } else if (const auto* call = std::get_if<ir::Call>(&node.payload)) {
        const ir::FuncDef& callee = module_.at(call->callee);
        if (callee.kind != ir::FuncKind::Workflow) continue;
        unseen(callee.body,
               callee.outlined != ir::Outlined::No ? prefix : named(callee.name) + ".");
      } else {
        const bool repeats = std::holds_alternative<ir::For>(node.payload) ||
                             std::holds_alternative<ir::Loop>(node.payload);
        const std::string outer = items_;
        if (repeats) items_ += ".*";
        for (const ir::RegionId inner : module_.regionsOf(node)) unseen(inner, prefix);
        items_ = outer;
      }
    }
  }

  struct Evicted {
    std::size_t step = 0;
    std::vector<ir::Value> arguments;
  };

  const ir::Module& module_;
  const RunOptions& options_;
  Store* store_;
  std::unique_ptr<Commands> commands_;
  std::optional<History> history_;
  std::unordered_map<std::string, LastStep> last_;
  std::unordered_map<std::string, std::shared_ptr<Evicted>> evicted_;  // by path
  Executor* executor_ = nullptr;
  std::deque<Ready> inbox_;
  std::vector<ForeseenStep> steps_;
  std::vector<bool> seen_;
  std::string items_;
};

}  // namespace

ForeseenWork workOf(const std::vector<ForeseenStep>& steps) {
  ForeseenWork work;
  for (const ForeseenStep& step : steps) {
    if (step.foresight == Foresight::Reused) continue;
    ++work.steps;
    work.seconds += std::max(0.0, step.seconds);
    work.unknown += step.seconds < 0 ? 1 : 0;
  }
  return work;
}

namespace {

std::vector<ForeseenStep> foresee(const ir::Module& module, const RunOptions& options,
                                  std::vector<ir::Value> inputs, const Secrets& secrets,
                                  Store* store, std::optional<History> history,
                                  DiagnosticSink& diags) {
  Foreseer foreseer(module, options, store, std::move(history), secrets);
  Executor executor(module, foreseer, diags);
  executor.start(std::move(inputs));
  foreseer.run(executor);
  return foreseer.finish();
}

/// False where a secret cannot be read.
bool readSecrets(const std::vector<ir::Value>& inputs, Secrets& secrets, DiagnosticSink& diags) {
  bool good = true;
  for (const ir::Value& input : inputs) good = secrets.read(input, diags) && good;
  return good;
}

}  // namespace

std::vector<ForeseenStep> preview(const ir::Module& module, const RunOptions& options,
                                  DiagnosticSink& diags) {
  if (!module.entry.valid()) return {};
  std::vector<ir::Value> inputs = bind(module, options);
  Secrets secrets;
  if (!readSecrets(inputs, secrets, diags)) return {};
  const std::unique_ptr<Store> store = Store::openToLook(options.storeDir, diags);
  DiagnosticList ignored;  // without a store there is no history either
  return foresee(module, options, std::move(inputs), secrets, store.get(),
                 History::open(options.storeDir, ignored), diags);
}

std::optional<std::vector<ForeseenStep>> glance(const ir::Module& module,
                                                const RunOptions& options,
                                                std::uint64_t mostBytes) {
  if (!module.entry.valid()) return std::nullopt;
  std::vector<ir::Value> inputs = bind(module, options);
  DiagnosticList ignored;
  Secrets secrets;
  if (!readSecrets(inputs, secrets, ignored)) return std::nullopt;
  const std::unique_ptr<Store> store = Store::openToRead(options.storeDir, mostBytes);
  std::optional<History> history = History::openToRead(options.storeDir);
  if (store == nullptr || !history) return std::nullopt;
  auto steps = foresee(module, options, std::move(inputs), secrets, store.get(),
                       std::move(history), ignored);
  if (store->gaveUp()) return std::nullopt;
  return steps;
}

}  // namespace couler::runtime
