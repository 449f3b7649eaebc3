#include <array>

#include "backends/argo/argo.h"
#include "backends/backend.h"
#include "backends/katib/katib.h"

namespace couler::backends {
namespace {

constexpr std::array kTable = {
    Backend{"argo", "Argo Workflows (a Workflow manifest for Kubernetes)", "yaml", argo::emit,
            argo::validate, argo::kLimits, false, argo::measure},
    Backend{"katib", "Katib (an Experiment for Kubernetes: one `tune`)", "yaml", katib::emit,
            katib::validate, katib::kLimits, true, katib::measure},
};

}  // namespace

std::span<const Backend> backendTable() { return kTable; }

const Backend* findBackend(std::string_view name) {
  for (const Backend& backend : kTable) {
    if (backend.name == name) return &backend;
  }
  return nullptr;
}

}  // namespace couler::backends
