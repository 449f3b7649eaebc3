#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ir/value.h"
#include "support/diagnostic.h"

namespace couler::runtime {

/// The texts of a run's secrets, read once before anything runs.
class Secrets {
 public:
  /// Reads every secret within `value`; false when one is missing (reported).
  bool read(const ir::Value& value, DiagnosticSink& diags);
  [[nodiscard]] const std::string* text(const std::string& source) const;
  /// Environment variables that secrets come from: steps do not inherit these.
  [[nodiscard]] const std::vector<std::string>& variables() const { return variables_; }

 private:
  std::map<std::string, std::string> texts_;
  std::vector<std::string> variables_;
};

/// Replaces secrets by `***` in a stream, also where one is split over two reads.
class SecretFilter {
 public:
  explicit SecretFilter(std::vector<std::string> secrets);
  /// What may be shown so far of all that was fed.
  [[nodiscard]] std::string feed(std::string_view data);
  /// The rest.
  [[nodiscard]] std::string finish();

 private:
  [[nodiscard]] std::string scan(bool last);
  std::vector<std::string> secrets_;  // longest first
  std::string held_;
};

}  // namespace couler::runtime
