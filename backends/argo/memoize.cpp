// Argo's `memoize`: a step with the same key as one before takes that one's outputs from a ConfigMap
// (https://argo-workflows.readthedocs.io/en/latest/memoization/).
#include <algorithm>

#include <fmt/format.h>

#include "backends/argo/emitter.h"
#include "backends/argo/text.h"

namespace couler::backends::argo {

namespace {

/// What the engine reuses, as long as its inputs and outputs are values: of a file Argo knows the
/// place and not the content, and what is memoized of one is its place, whether or not it is there.
bool isMemoized(const ir::Module& module, const ir::TaskDef& task) {
  const auto plain = [&](ir::TypeId type) {
    for (const ir::TypeKind kind : {ir::TypeKind::File, ir::TypeKind::Dir, ir::TypeKind::Table,
                                    ir::TypeKind::Secret}) {
      if (module.types.holds(type, kind)) return false;
    }
    return true;
  };
  return task.cache && !task.isVolatile && !task.outputs.empty() &&
         std::all_of(task.params.begin(), task.params.end(),
                     [&](const ir::ParamDef& param) { return plain(param.type); }) &&
         std::all_of(task.outputs.begin(), task.outputs.end(),
                     [](const ir::OutputDef& o) { return o.from != ir::OutputFrom::Path; });
}

}  // namespace

/// The key: what runs, by a digest made here, and the inputs' values, by one that Argo makes, since
/// it takes letters, digits and `-` only.
void Emitter::writeMemoize(YamlWriter& w, const ir::TaskDef& task, const Digest& process) {
  if (settings_.memoize.empty() || !isMemoized(module_, task)) return;
  std::string key = fmt::format("couler-{}", process.hex().substr(0, 32));
  if (!task.params.empty()) {
    std::string values;
    for (const ir::ParamDef& param : task.params) {
      values += fmt::format("{}inputs.parameters['{}']", values.empty() ? "" : ", ", param.name);
    }
    key += "-" + exprTag(fmt::format("sprig.sha256sum(toJson([{}]))", values));
  }
  w.key("memoize");
  w.beginMap();
  w.entry("key", key);
  w.entry("maxAge", goDuration(settings_.memoizeFor));
  w.key("cache");
  w.beginMap();
  w.key("configMap");
  w.beginMap();
  w.entry("name", settings_.memoize);
  w.endMap();
  w.endMap();
  w.endMap();
}

}  // namespace couler::backends::argo
