#include "backends/katib/search.h"
#include "backends/names.h"
#include "support/text.h"

namespace couler::backends::katib {

std::optional<Settings> readSettings(const ir::Module& module, const ir::TargetDef* target,
                                     DiagnosticSink& diags) {
  Settings out;
  if (target == nullptr) return out;
  bool ok = true;
  const auto refuse = [&](std::string_view name, std::string_view what) {
    diags.take(diagnose<Diag::BackendSetting>(target->span, name, what));
    ok = false;
  };
  for (const auto& [name, constant] : target->settings) {
    const ir::Value& value = module.at(constant);
    if (name == "parallelism") {
      const auto* number = value.as<std::int64_t>();
      if (number == nullptr || *number < 1 || *number > 0x7fffffff) {
        refuse(name, "a whole number from 1 on is wanted");
      } else {
        out.parallelism = *number;
      }
      continue;
    }
    std::string* to = name == "name"              ? &out.name
                      : name == "namespace"       ? &out.nameSpace
                      : name == "service_account" ? &out.serviceAccount
                      : name == "image"           ? &out.image
                                                  : nullptr;
    const auto* text = value.as<std::string>();
    if (to == nullptr) {
      refuse(name, "katib has no such setting");
    } else if (text == nullptr || text->empty()) {
      refuse(name, "a string is wanted");
    } else if (to != &out.image && !isDnsLabel(*text)) {
      refuse(name, "small letters, digits and `-` make a name in Kubernetes");
    } else if (text->find("${") != std::string::npos) {
      refuse(name, "katib takes `${` for a parameter");
    } else {
      *to = *text;
    }
  }
  if (!ok) return std::nullopt;
  return out;
}

}  // namespace couler::backends::katib
