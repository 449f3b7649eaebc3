#pragma once

#include <memory>
#include <span>
#include <string>

/// Language models, which propose and never decide: what one says is read by code that holds it
/// against the program. None is asked unless the environment names one.
namespace couler::assist {

struct Message {
  std::string role;  ///< "system", "user", "assistant"
  std::string text;
};

/// What a model said; `problem` where it said nothing: lower case, no full stop, no secret in it.
struct Reply {
  std::string text;
  std::string problem;
};

class Model {
 public:
  Model() = default;
  virtual ~Model() = default;
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  /// What messages call it.
  [[nodiscard]] virtual const std::string& name() const = 0;
  /// Goes on with a conversation. Waits for the answer, as long as the settings say.
  [[nodiscard]] virtual Reply ask(std::span<const Message> conversation) = 0;
};

struct Configured {
  std::unique_ptr<Model> model;  ///< null: none is to be asked
  std::string problem;           ///< of settings that are no good
};

/// The model of COULER_MODEL_URL (an OpenAI-compatible API, such as https://api.example.com/v1) and
/// COULER_MODEL, with the key COULER_MODEL_KEY and COULER_MODEL_TIMEOUT (seconds, 60). Without
/// COULER_MODEL_URL none, and no problem.
[[nodiscard]] Configured modelFromEnvironment();

}  // namespace couler::assist
