#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backends/backend.h"

namespace couler::backends::argo {

/// `artifacts: s3(bucket: "b", …)`.
struct ObjectStore {
  std::string bucket;
  std::string endpoint;
  std::string keyPrefix;  ///< without a slash at its ends
  std::string
      secret;  ///< Kubernetes Secret with `accessKey` and `secretKey`; empty: the pod's own right
};

/// The settings of `target x = argo { … }`.
struct Settings {
  std::string name;
  std::string nameSpace;
  std::string serviceAccount;
  std::string image;
  std::string secrets;
  std::optional<ObjectStore> artifacts;
  std::optional<std::int64_t> ttlSeconds;
  std::optional<std::int64_t> parallelism;
  std::optional<std::int64_t> priority;
  std::vector<std::pair<std::string, std::string>> nodeSelector;
  std::vector<std::string> imagePullSecrets;
  std::optional<bool> archiveLogs;
  std::string memoize;  ///< the ConfigMap that keeps outputs for later runs; empty: none does
  ir::Duration memoizeFor{30LL * 24 * 3600 * 1'000'000};
};

/// Reads them; each that is unknown or ill typed is CW0603, and the result nothing.
[[nodiscard]] std::optional<Settings> readSettings(const ir::Module& module,
                                                   const ir::TargetDef* target,
                                                   DiagnosticSink& diags);

}  // namespace couler::backends::argo
