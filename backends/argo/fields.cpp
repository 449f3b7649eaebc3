#include "backends/argo/fields.h"

#include <array>
#include <iterator>

namespace couler::backends::argo {
namespace {

// Every field of the objects that a Workflow is made of. Objects that the emitter never writes
// (volumes, affinity, …) are let pass as a whole.
constexpr Field kFields[] = {
    {"Root", "apiVersion", Shape::Text, ""},
    {"Root", "kind", Shape::Text, ""},
    {"Root", "metadata", Shape::Map, "Metadata"},
    {"Root", "spec", Shape::Map, "Spec"},
    {"Root", "status", Shape::Any, ""},

    {"Metadata", "name", Shape::Text, ""},
    {"Metadata", "generateName", Shape::Text, ""},
    {"Metadata", "namespace", Shape::Text, ""},
    {"Metadata", "labels", Shape::TextMap, ""},
    {"Metadata", "annotations", Shape::TextMap, ""},
    {"Metadata", "finalizers", Shape::TextList, ""},

    {"Spec", "activeDeadlineSeconds", Shape::NumberOrText, ""},
    {"Spec", "affinity", Shape::Any, ""},
    {"Spec", "archiveLogs", Shape::Bool, ""},
    {"Spec", "arguments", Shape::Map, "Arguments"},
    {"Spec", "artifactGC", Shape::Any, ""},
    {"Spec", "artifactRepositoryRef", Shape::Any, ""},
    {"Spec", "automountServiceAccountToken", Shape::Bool, ""},
    {"Spec", "dnsConfig", Shape::Any, ""},
    {"Spec", "dnsPolicy", Shape::Text, ""},
    {"Spec", "entrypoint", Shape::Text, ""},
    {"Spec", "executor", Shape::Any, ""},
    {"Spec", "hooks", Shape::Any, ""},
    {"Spec", "hostAliases", Shape::Any, ""},
    {"Spec", "hostNetwork", Shape::Bool, ""},
    {"Spec", "imagePullSecrets", Shape::List, "LocalObject"},
    {"Spec", "metrics", Shape::Any, ""},
    {"Spec", "nodeSelector", Shape::TextMap, ""},
    {"Spec", "onExit", Shape::Text, ""},
    {"Spec", "parallelism", Shape::Number, ""},
    {"Spec", "podDisruptionBudget", Shape::Any, ""},
    {"Spec", "podGC", Shape::Any, ""},
    {"Spec", "podMetadata", Shape::Any, ""},
    {"Spec", "podPriorityClassName", Shape::Text, ""},
    {"Spec", "podSpecPatch", Shape::Text, ""},
    {"Spec", "priority", Shape::Number, ""},
    {"Spec", "retryStrategy", Shape::Map, "Retry"},
    {"Spec", "schedulerName", Shape::Text, ""},
    {"Spec", "securityContext", Shape::Any, ""},
    {"Spec", "serviceAccountName", Shape::Text, ""},
    {"Spec", "shutdown", Shape::Text, ""},
    {"Spec", "suspend", Shape::Bool, ""},
    {"Spec", "synchronization", Shape::Any, ""},
    {"Spec", "templateDefaults", Shape::Any, ""},
    {"Spec", "templates", Shape::List, "Template"},
    {"Spec", "tolerations", Shape::Any, ""},
    {"Spec", "ttlStrategy", Shape::Map, "Ttl"},
    {"Spec", "volumeClaimGC", Shape::Any, ""},
    {"Spec", "volumeClaimTemplates", Shape::Any, ""},
    {"Spec", "volumes", Shape::Any, ""},
    {"Spec", "workflowMetadata", Shape::Any, ""},
    {"Spec", "workflowTemplateRef", Shape::Any, ""},

    {"LocalObject", "name", Shape::Text, ""},
    {"Ttl", "secondsAfterCompletion", Shape::Number, ""},
    {"Ttl", "secondsAfterFailure", Shape::Number, ""},
    {"Ttl", "secondsAfterSuccess", Shape::Number, ""},

    {"Arguments", "parameters", Shape::List, "Parameter"},
    {"Arguments", "artifacts", Shape::List, "Artifact"},
    {"Inputs", "parameters", Shape::List, "Parameter"},
    {"Inputs", "artifacts", Shape::List, "Artifact"},
    {"Outputs", "parameters", Shape::List, "Parameter"},
    {"Outputs", "artifacts", Shape::List, "Artifact"},
    {"Outputs", "exitCode", Shape::Text, ""},
    {"Outputs", "result", Shape::Text, ""},

    {"Parameter", "name", Shape::Text, ""},
    {"Parameter", "value", Shape::NumberOrText, ""},
    {"Parameter", "default", Shape::NumberOrText, ""},
    {"Parameter", "description", Shape::Text, ""},
    {"Parameter", "enum", Shape::Any, ""},
    {"Parameter", "globalName", Shape::Text, ""},
    {"Parameter", "valueFrom", Shape::Map, "ValueFrom"},
    {"ValueFrom", "configMapKeyRef", Shape::Any, ""},
    {"ValueFrom", "default", Shape::NumberOrText, ""},
    {"ValueFrom", "event", Shape::Text, ""},
    {"ValueFrom", "expression", Shape::Text, ""},
    {"ValueFrom", "jqFilter", Shape::Text, ""},
    {"ValueFrom", "jsonPath", Shape::Text, ""},
    {"ValueFrom", "parameter", Shape::Text, ""},
    {"ValueFrom", "path", Shape::Text, ""},
    {"ValueFrom", "supplied", Shape::Any, ""},

    {"Artifact", "name", Shape::Text, ""},
    {"Artifact", "archive", Shape::Map, "Archive"},
    {"Artifact", "archiveLogs", Shape::Bool, ""},
    {"Artifact", "artifactGC", Shape::Any, ""},
    {"Artifact", "artifactory", Shape::Any, ""},
    {"Artifact", "azure", Shape::Any, ""},
    {"Artifact", "deleted", Shape::Bool, ""},
    {"Artifact", "from", Shape::Text, ""},
    {"Artifact", "fromExpression", Shape::Text, ""},
    {"Artifact", "gcs", Shape::Any, ""},
    {"Artifact", "git", Shape::Any, ""},
    {"Artifact", "globalName", Shape::Text, ""},
    {"Artifact", "hdfs", Shape::Any, ""},
    {"Artifact", "http", Shape::Any, ""},
    {"Artifact", "mode", Shape::Number, ""},
    {"Artifact", "optional", Shape::Bool, ""},
    {"Artifact", "oss", Shape::Any, ""},
    {"Artifact", "path", Shape::Text, ""},
    {"Artifact", "plugin", Shape::Any, ""},
    {"Artifact", "raw", Shape::Map, "Raw"},
    {"Artifact", "recurseMode", Shape::Bool, ""},
    {"Artifact", "s3", Shape::Map, "S3"},
    {"Artifact", "subPath", Shape::Text, ""},
    {"Archive", "none", Shape::Any, ""},
    {"Archive", "tar", Shape::Any, ""},
    {"Archive", "zip", Shape::Any, ""},
    {"Raw", "data", Shape::Text, ""},
    {"S3", "accessKeySecret", Shape::Map, "SecretKey"},
    {"S3", "bucket", Shape::Text, ""},
    {"S3", "caSecret", Shape::Any, ""},
    {"S3", "createBucketIfNotPresent", Shape::Any, ""},
    {"S3", "encryptionOptions", Shape::Any, ""},
    {"S3", "endpoint", Shape::Text, ""},
    {"S3", "insecure", Shape::Bool, ""},
    {"S3", "key", Shape::Text, ""},
    {"S3", "region", Shape::Text, ""},
    {"S3", "roleARN", Shape::Text, ""},
    {"S3", "secretKeySecret", Shape::Map, "SecretKey"},
    {"S3", "sessionTokenSecret", Shape::Any, ""},
    {"S3", "useSDKCreds", Shape::Bool, ""},
    {"S3", "addressingStyle", Shape::Text, ""},
    {"SecretKey", "name", Shape::Text, ""},
    {"SecretKey", "key", Shape::Text, ""},
    {"SecretKey", "optional", Shape::Bool, ""},

    {"Template", "activeDeadlineSeconds", Shape::NumberOrText, ""},
    {"Template", "affinity", Shape::Any, ""},
    {"Template", "annotations", Shape::TextMap, ""},
    {"Template", "archiveLocation", Shape::Any, ""},
    {"Template", "automountServiceAccountToken", Shape::Bool, ""},
    {"Template", "container", Shape::Map, "Container"},
    {"Template", "containerSet", Shape::Any, ""},
    {"Template", "daemon", Shape::Bool, ""},
    {"Template", "dag", Shape::Map, "Dag"},
    {"Template", "data", Shape::Any, ""},
    {"Template", "executor", Shape::Any, ""},
    {"Template", "failFast", Shape::Bool, ""},
    {"Template", "hostAliases", Shape::Any, ""},
    {"Template", "http", Shape::Any, ""},
    {"Template", "initContainers", Shape::Any, ""},
    {"Template", "inputs", Shape::Map, "Inputs"},
    {"Template", "memoize", Shape::Map, "Memoize"},
    {"Template", "metadata", Shape::Any, ""},
    {"Template", "metrics", Shape::Any, ""},
    {"Template", "name", Shape::Text, ""},
    {"Template", "nodeSelector", Shape::TextMap, ""},
    {"Template", "outputs", Shape::Map, "Outputs"},
    {"Template", "parallelism", Shape::Number, ""},
    {"Template", "plugin", Shape::Any, ""},
    {"Template", "podSpecPatch", Shape::Text, ""},
    {"Template", "priority", Shape::Number, ""},
    {"Template", "priorityClassName", Shape::Text, ""},
    {"Template", "resource", Shape::Any, ""},
    {"Template", "retryStrategy", Shape::Map, "Retry"},
    {"Template", "schedulerName", Shape::Text, ""},
    {"Template", "script", Shape::Map, "Container"},
    {"Template", "securityContext", Shape::Any, ""},
    {"Template", "serviceAccountName", Shape::Text, ""},
    {"Template", "sidecars", Shape::Any, ""},
    {"Template", "steps", Shape::Any, ""},
    {"Template", "suspend", Shape::Any, ""},
    {"Template", "synchronization", Shape::Any, ""},
    {"Template", "timeout", Shape::Text, ""},
    {"Template", "tolerations", Shape::Any, ""},
    {"Template", "volumes", Shape::Any, ""},

    {"Memoize", "cache", Shape::Map, "MemoizeCache"},
    {"Memoize", "key", Shape::Text, ""},
    {"Memoize", "maxAge", Shape::Text, ""},
    {"MemoizeCache", "configMap", Shape::Map, "LocalObject"},

    {"Retry", "affinity", Shape::Any, ""},
    {"Retry", "backoff", Shape::Map, "Backoff"},
    {"Retry", "expression", Shape::Text, ""},
    {"Retry", "limit", Shape::NumberOrText, ""},
    {"Retry", "retryPolicy", Shape::Text, ""},
    {"Backoff", "cap", Shape::Text, ""},
    {"Backoff", "duration", Shape::NumberOrText, ""},
    {"Backoff", "factor", Shape::NumberOrText, ""},
    {"Backoff", "maxDuration", Shape::NumberOrText, ""},

    {"Container", "args", Shape::TextList, ""},
    {"Container", "command", Shape::TextList, ""},
    {"Container", "env", Shape::List, "Env"},
    {"Container", "envFrom", Shape::Any, ""},
    {"Container", "image", Shape::Text, ""},
    {"Container", "imagePullPolicy", Shape::Text, ""},
    {"Container", "lifecycle", Shape::Any, ""},
    {"Container", "livenessProbe", Shape::Any, ""},
    {"Container", "name", Shape::Text, ""},
    {"Container", "ports", Shape::Any, ""},
    {"Container", "readinessProbe", Shape::Any, ""},
    {"Container", "resizePolicy", Shape::Any, ""},
    {"Container", "resources", Shape::Map, "Resources"},
    {"Container", "restartPolicy", Shape::Text, ""},
    {"Container", "securityContext", Shape::Any, ""},
    {"Container", "source", Shape::Text, ""},
    {"Container", "startupProbe", Shape::Any, ""},
    {"Container", "stdin", Shape::Bool, ""},
    {"Container", "stdinOnce", Shape::Bool, ""},
    {"Container", "terminationMessagePath", Shape::Text, ""},
    {"Container", "terminationMessagePolicy", Shape::Text, ""},
    {"Container", "tty", Shape::Bool, ""},
    {"Container", "volumeDevices", Shape::Any, ""},
    {"Container", "volumeMounts", Shape::Any, ""},
    {"Container", "workingDir", Shape::Text, ""},
    {"Env", "name", Shape::Text, ""},
    {"Env", "value", Shape::Text, ""},
    {"Env", "valueFrom", Shape::Map, "EnvFrom"},
    {"EnvFrom", "secretKeyRef", Shape::Map, "SecretKey"},
    {"EnvFrom", "configMapKeyRef", Shape::Any, ""},
    {"EnvFrom", "fieldRef", Shape::Any, ""},
    {"EnvFrom", "resourceFieldRef", Shape::Any, ""},
    {"Resources", "requests", Shape::Any, ""},
    {"Resources", "limits", Shape::Any, ""},
    {"Resources", "claims", Shape::Any, ""},

    {"Dag", "failFast", Shape::Bool, ""},
    {"Dag", "target", Shape::Text, ""},
    {"Dag", "tasks", Shape::List, "Task"},
    {"Task", "arguments", Shape::Map, "Arguments"},
    {"Task", "continueOn", Shape::Map, "ContinueOn"},
    {"Task", "dependencies", Shape::TextList, ""},
    {"Task", "depends", Shape::Text, ""},
    {"Task", "hooks", Shape::Map, "Hooks"},
    {"Task", "inline", Shape::Any, ""},
    {"Task", "name", Shape::Text, ""},
    {"Task", "onExit", Shape::Text, ""},
    {"Task", "template", Shape::Text, ""},
    {"Task", "templateRef", Shape::Any, ""},
    {"Task", "when", Shape::Text, ""},
    {"Task", "withItems", Shape::Any, ""},
    {"Task", "withParam", Shape::Text, ""},
    {"Task", "withSequence", Shape::Any, ""},
    {"ContinueOn", "failed", Shape::Bool, ""},
    {"ContinueOn", "error", Shape::Bool, ""},
    {"Hooks", "exit", Shape::Map, "Hook"},
    {"Hook", "arguments", Shape::Map, "Arguments"},
    {"Hook", "expression", Shape::Text, ""},
    {"Hook", "template", Shape::Text, ""},
    {"Hook", "templateRef", Shape::Any, ""},
};

constexpr std::size_t kCount = std::size(kFields);

struct Rows {
  std::size_t first = 0;
  std::size_t count = 0;
};
constexpr Rows rowsOf(std::string_view object) {
  Rows rows;
  for (std::size_t i = 0; i < kCount; ++i) {
    if (kFields[i].object != object) continue;
    if (rows.count++ == 0) rows.first = i;
  }
  return rows;
}
/// By row: the rows of the object below it.
constexpr std::array<Rows, kCount> kUnder = [] {
  std::array<Rows, kCount> under{};
  for (std::size_t i = 0; i < kCount; ++i) {
    if (!kFields[i].of.empty()) under[i] = rowsOf(kFields[i].of);
  }
  return under;
}();
/// The rows of an object stand together, and each object that is named has some.
constexpr bool sound() {
  for (std::size_t i = 0; i < kCount; ++i) {
    const Rows own = rowsOf(kFields[i].object);
    if (i >= own.first + own.count) return false;
    if (!kFields[i].of.empty() && kUnder[i].count == 0) return false;
  }
  return true;
}
static_assert(sound());

}  // namespace

std::span<const Field> fieldsOf(std::string_view object) {
  const Rows rows = rowsOf(object);
  return {kFields + rows.first, rows.count};
}

std::span<const Field> fieldsUnder(const Field& field) {
  const Rows rows = kUnder[static_cast<std::size_t>(&field - kFields)];
  return {kFields + rows.first, rows.count};
}

}  // namespace couler::backends::argo
