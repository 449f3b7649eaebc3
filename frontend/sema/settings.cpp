#include "frontend/sema/settings.h"

#include <algorithm>
#include <array>

namespace couler::sema {

namespace {

constexpr std::array kLocal{
    SettingSpec{"jobs", SettingType::Int, "how many steps may run at once", true},
    SettingSpec{"memory", SettingType::Size, "how much memory the running steps may ask for", true},
    SettingSpec{"store", SettingType::String, "the folder that keeps results and history"},
    SettingSpec{"fail_fast", SettingType::Bool, "stop everything at the first failure"},
    SettingSpec{"cache_budget", SettingType::Size, "how much room the kept results may take"},
    SettingSpec{"cache_policy", SettingType::String, "which results go first when there is less"},
    SettingSpec{"shard_size", SettingType::Size, "how much of a file of rows a part of a step reads"},
    SettingSpec{"container", SettingType::ContainerTool, "what runs the images of tasks"},
};
constexpr std::array kArgo{
    SettingSpec{"name", SettingType::String, "the name of the Workflow object"},
    SettingSpec{"namespace", SettingType::String, "the Kubernetes namespace"},
    SettingSpec{"service_account", SettingType::String, "the account that the steps run as"},
    SettingSpec{"image", SettingType::String, "the image of tasks that name none"},
    SettingSpec{"artifacts", SettingType::ObjectStore, "where files between steps are kept"},
    SettingSpec{"secrets", SettingType::String, "the Kubernetes Secret that holds the secrets"},
    SettingSpec{"ttl", SettingType::Duration, "how long a finished run stays", true},
    SettingSpec{"parallelism", SettingType::Int, "how many steps may run at once", true},
    SettingSpec{"priority", SettingType::Int, "which runs go first"},
    SettingSpec{"node_selector", SettingType::StringMap, "labels of the nodes to run on"},
    SettingSpec{"image_pull_secrets", SettingType::StringList, "Secrets to pull images with"},
    SettingSpec{"archive_logs", SettingType::Bool, "keep the logs of steps as artifacts"},
    SettingSpec{"memoize", SettingType::String, "the ConfigMap that keeps results for later runs"},
    SettingSpec{"memoize_for", SettingType::Duration, "how long a kept result counts", true},
    SettingSpec{"shard_size", SettingType::Size, "how much of a file of rows a part of a step reads"},
};
constexpr std::array kKatib{
    SettingSpec{"name", SettingType::String, "the name of the Experiment object"},
    SettingSpec{"namespace", SettingType::String, "the Kubernetes namespace"},
    SettingSpec{"service_account", SettingType::String, "the account that the trials run as"},
    SettingSpec{"image", SettingType::String, "the image of tasks that name none"},
    SettingSpec{"parallelism", SettingType::Int, "how many trials may run at once", true},
};
constexpr std::array kS3{
    SettingSpec{"bucket", SettingType::String, "the bucket", false, true},
    SettingSpec{"endpoint", SettingType::String, "host and port of the service"},
    SettingSpec{"key_prefix", SettingType::String, "what object names begin with"},
    SettingSpec{"secret", SettingType::String, "the Kubernetes Secret with the access keys"},
};
constexpr std::array kResources{
    SettingSpec{"cpu", SettingType::Number, "cores", true},
    SettingSpec{"memory", SettingType::Size, "main memory", true},
    SettingSpec{"gpu", SettingType::Int, "graphics processors"},
    SettingSpec{"disk", SettingType::Size, "scratch space"},
};
constexpr std::array kRetry{
    SettingSpec{"backoff", SettingType::Duration, "the pause before the second attempt"},
    SettingSpec{"max_backoff", SettingType::Duration, "no pause is longer than that"},
    SettingSpec{"factor", SettingType::Number, "how much longer each further pause is", true},
    SettingSpec{"on", SettingType::FailureClasses, "which kinds of failure are tried again"},
    SettingSpec{"exit_codes", SettingType::IntList, "which exit codes are tried again"},
};
constexpr SettingSpec kTrials{"trials", SettingType::Count, "how many points to try", true, true};
constexpr SettingSpec kSeed{"seed", SettingType::Count, "another one gives other points"};
constexpr std::array kGrid{
    SettingSpec{"points", SettingType::Count, "how many values of each range", true},
};
constexpr std::array kRandom{kTrials, kSeed};
constexpr std::array kAsha{
    kTrials,
    SettingSpec{"resource", SettingType::Parameter, "what a rung gives more of", false, true},
    SettingSpec{"max", SettingType::Int, "how much of it the last rung gives", true, true},
    SettingSpec{"min", SettingType::Int, "how much of it the first rung gives", true},
    SettingSpec{"reduction", SettingType::Int, "one trial in so many goes on", true},
    SettingSpec{"brackets", SettingType::Int, "on how many rungs trials start", true},
    kSeed,
    SettingSpec{"resume", SettingType::Parameter, "what takes the checkpoint of the rung before"},
    SettingSpec{"checkpoint", SettingType::Output, "what to resume from"},
};
constexpr std::array kTpe{
    kTrials,
    kSeed,
    SettingSpec{"startup", SettingType::Count, "how many points to try before it learns"},
    SettingSpec{"parallel", SettingType::Int, "how many trials run side by side", true},
};
constexpr std::array kTuneMethods{
    TuneMethodSpec{"grid", TuneMethod::Grid, kGrid},
    TuneMethodSpec{"random", TuneMethod::Random, kRandom},
    TuneMethodSpec{"sobol", TuneMethod::Sobol, kRandom},
    TuneMethodSpec{"asha", TuneMethod::Asha, kAsha},
    TuneMethodSpec{"tpe", TuneMethod::Tpe, kTpe},
};
constexpr std::array kCard{
    SettingSpec{"data", SettingType::String, "the data card: what is learned from, what is told, how that is judged", false, true},
    SettingSpec{"model", SettingType::String, "the model card: what learns, and how it is built", false, true},
    SettingSpec{"points", SettingType::Int, "how many points to ask for", true},
};
constexpr std::array kPriors{PriorSpec{"card", kCard}};
constexpr std::array<std::string_view, 4> kFailures{"transient", "oom", "timeout", "exit"};
constexpr std::array kEngines{EngineSpec{"local", kLocal}, EngineSpec{"argo", kArgo},
                              EngineSpec{"katib", kKatib}};
constexpr std::array<std::string_view, 11> kPlanned{
    "airflow", "tekton",         "kubeflow", "flyte",   "snakemake", "nextflow",
    "slurm",   "step_functions", "azureml",  "dagster", "prefect"};

}  // namespace

std::span<const EngineSpec> engineTable() { return kEngines; }
const EngineSpec* findEngine(std::string_view name) {
  const auto* it = std::find_if(kEngines.begin(), kEngines.end(),
                                [&](const EngineSpec& engine) { return engine.name == name; });
  return it == kEngines.end() ? nullptr : it;
}
std::span<const std::string_view> plannedEngines() { return kPlanned; }
std::span<const SettingSpec> s3Settings() { return kS3; }
std::span<const SettingSpec> resourceSettings() { return kResources; }
std::span<const SettingSpec> retrySettings() { return kRetry; }
std::span<const std::string_view> failureClasses() { return kFailures; }
std::span<const TuneMethodSpec> tuneMethods() { return kTuneMethods; }
std::span<const PriorSpec> tunePriors() { return kPriors; }

}  // namespace couler::sema
