// Operators over tables, on lists of records: what they mean, said as plainly as can be. Used for
// tests and small tables; runtime/column/ does the same on columns, and its tests compare the two.
#include <algorithm>
#include <unordered_map>

#include "ir/eval_aggregates.h"
#include "ir/eval_internal.h"

namespace couler::ir::eval {

namespace {

using Results = std::vector<EvalResult>;

EvalResult exhausted() { return fail("the evaluation takes more than 100 million operations"); }

struct KeyHash {
  std::size_t operator()(const ListItems& key) const {
    std::size_t hash = 0;
    for (const Value& value : key) hash = hash * 31 + hashOf(value);
    return hash;
  }
};

/// The first `count` results as values; an error is given back.
std::optional<EvalError> take(const Results& results, std::size_t from, std::size_t count,
                              ListItems& into) {
  into.clear();
  for (std::size_t i = from; i < from + count && i < results.size(); ++i) {
    if (const EvalError* error = std::get_if<EvalError>(&results[i])) return *error;
    into.push_back(std::get<Value>(results[i]));
  }
  return std::nullopt;
}

class RowsEvaluator {
 public:
  RowsEvaluator(const Module& module, const Node& node, std::span<const EvalResult> operands,
                const RowBody& body)
      : module_(module), node_(node), rows_(std::get<Rows>(node.payload)), body_(body) {
    for (const EvalResult& operand : operands) operands_.push_back(std::get<Value>(operand));
  }

  EvalResult run() {
    const std::size_t tables = rows_.op == RowsOp::Join ? 2 : 1;
    for (std::size_t i = 0; i < tables; ++i) {
      if (i >= operands_.size() || operands_[i].as<ListValue>() == nullptr) {
        return rows_.op == RowsOp::Read ? fail("the rows of a file are not read here")
                                        : fail("there is no table here");
      }
    }
    switch (rows_.op) {
      case RowsOp::Read:
        return fail("the rows of a file are not read here");
      case RowsOp::Filter:
        return filter();
      case RowsOp::Map:
        return map();
      case RowsOp::Group:
        return group();
      case RowsOp::Sort:
        return sort();
      case RowsOp::Limit:
        return limit();
      case RowsOp::Distinct:
        return distinct();
      case RowsOp::Join:
        return join();
      case RowsOp::Concat:
        return concat();
    }
    return fail("an unknown operator over rows");
  }

 private:
  [[nodiscard]] const ListItems& input() const { return operands_[0].items(); }

  EvalResult filter() {
    ListItems kept;
    Results results;
    for (const Value& row : input()) {
      if (!body_({&row, 1}, results)) return exhausted();
      ListItems values;
      if (auto error = take(results, 0, 1, values)) return std::move(*error);
      const bool* truth = values.empty() ? nullptr : values[0].as<bool>();
      if (truth != nullptr && *truth) kept.push_back(row);
    }
    return Value::list(std::move(kept));
  }

  EvalResult map() {
    ListItems made;
    made.reserve(input().size());
    Results results;
    for (const Value& row : input()) {
      if (!body_({&row, 1}, results)) return exhausted();
      if (results.empty()) return fail("the body has no value");
      if (EvalError* error = std::get_if<EvalError>(&results[0])) return std::move(*error);
      made.push_back(std::get<Value>(results[0]));
    }
    return Value::list(std::move(made));
  }

  /// A record of the node's row type.
  [[nodiscard]] Value record(ListItems values) const {
    const Type& row = module_.types[module_.types[node_.type].element];
    NamedItems fields;
    for (std::size_t i = 0; i < row.fields.size() && i < values.size(); ++i) {
      fields.emplace_back(row.fields[i].name, std::move(values[i]));
    }
    return Value::record(std::move(fields));
  }

  EvalResult group() {
    const std::vector<NodeId>& nodes = module_.at(rows_.body).results;
    std::vector<Aggregate> fresh;
    for (std::size_t i = rows_.keys; i < nodes.size(); ++i) {
      const Op* op = module_.payload<Op>(nodes[i]);
      if (op == nullptr || !isAggregate(op->op)) return fail("a group gives what is no aggregate");
      double q = 0;
      if (op->op == Builtin::AggQuantile) {
        const Value* which = module_.constant(module_.operands(module_.at(nodes[i]))[1]);
        const double* real = which != nullptr ? which->as<double>() : nullptr;
        if (real == nullptr || !(*real >= 0 && *real <= 1)) {
          return fail("which quantile must be a constant from 0 to 1");
        }
        q = *real;
      }
      fresh.emplace_back(op->op, q);
    }
    std::unordered_map<ListItems, std::size_t, KeyHash> places;
    std::vector<std::pair<ListItems, std::vector<Aggregate>>> groups;
    if (rows_.keys == 0) groups.emplace_back(ListItems{}, fresh);
    Results results;
    for (const Value& row : input()) {
      if (!body_({&row, 1}, results)) return exhausted();
      ListItems key;
      if (auto error = take(results, 0, rows_.keys, key)) return std::move(*error);
      ListItems values;
      if (auto error = take(results, rows_.keys, fresh.size(), values)) return std::move(*error);
      std::size_t place = 0;
      if (rows_.keys != 0) {
        const auto [entry, added] = places.try_emplace(key, groups.size());
        place = entry->second;
        if (added) groups.emplace_back(std::move(key), fresh);
      }
      for (std::size_t i = 0; i < values.size(); ++i) {
        const Span at = module_.at(nodes[rows_.keys + i]).span;
        if (auto error = groups[place].second[i].add(values[i], at)) return std::move(*error);
      }
    }
    ListItems made;
    for (auto& [key, aggregates] : groups) {
      for (const Aggregate& aggregate : aggregates) key.push_back(aggregate.finish());
      made.push_back(record(std::move(key)));
    }
    return Value::list(std::move(made));
  }

  /// Negative, zero or positive: values in order, then NaN, then none, whatever the direction.
  static int compareKeys(const Value& a, const Value& b, bool descending) {
    const auto rank = [](const Value& v) {
      if (v.isNone()) return 2;
      const double* x = v.as<double>();
      return x != nullptr && *x != *x ? 1 : 0;
    };
    if (rank(a) != rank(b)) return rank(a) - rank(b);
    if (rank(a) != 0) return 0;
    int order = 0;
    if (const bool* x = a.as<bool>()) {
      order = static_cast<int>(*x) - static_cast<int>(*b.as<bool>());
    } else {
      const std::partial_ordering found = compare(a, b);
      order = found < 0 ? -1 : found > 0 ? 1 : 0;
    }
    return descending ? -order : order;
  }

  /// The order of enum cases is that of their declaration: the place of the case, for a key that is
  /// one.
  void rankCases(ListItems& keys) const {
    const std::vector<NodeId>& nodes = module_.at(rows_.body).results;
    for (std::size_t k = 0; k < keys.size(); ++k) {
      const EnumCase* found = keys[k].as<EnumCase>();
      if (found == nullptr) continue;
      const Type* type = &module_.types[module_.at(nodes[k]).type];
      if (type->kind == TypeKind::Optional) type = &module_.types[type->element];
      const auto at = std::find(type->cases.begin(), type->cases.end(), found->name);
      keys[k] = static_cast<std::int64_t>(at - type->cases.begin());
    }
  }

  EvalResult sort() {
    std::vector<std::pair<ListItems, std::size_t>> keyed;
    Results results;
    for (std::size_t i = 0; i < input().size(); ++i) {
      if (!body_({&input()[i], 1}, results)) return exhausted();
      keyed.emplace_back(ListItems{}, i);
      if (auto error = take(results, 0, results.size(), keyed.back().first)) {
        return std::move(*error);
      }
      rankCases(keyed.back().first);
    }
    std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
      for (std::size_t k = 0; k < a.first.size(); ++k) {
        const bool descending = k < 32 && (rows_.descending >> k & 1U) != 0;
        const int order = compareKeys(a.first[k], b.first[k], descending);
        if (order != 0) return order < 0;
      }
      return false;
    });
    ListItems sorted;
    for (const auto& entry : keyed) sorted.push_back(input()[entry.second]);
    return Value::list(std::move(sorted));
  }

  EvalResult limit() {
    const std::int64_t* n = operands_.size() > 1 ? operands_[1].as<std::int64_t>() : nullptr;
    if (n == nullptr || *n < 0) return fail("the number of rows must not be negative");
    const ListItems& rows = input();
    const std::size_t count = std::min(rows.size(), static_cast<std::size_t>(*n));
    return Value::list(ListItems(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(count)));
  }

  EvalResult distinct() {
    std::unordered_map<ListItems, bool, KeyHash> seen;
    ListItems kept;
    for (const Value& row : input()) {
      if (seen.try_emplace(ListItems{row}, true).second) kept.push_back(row);
    }
    return Value::list(std::move(kept));
  }

  /// The keys of one side; nothing when one of them is none, which equals no other.
  std::optional<EvalError> keysOf(const Value& row, bool right, std::optional<ListItems>& keys) {
    keys.reset();
    const Value pair[] = {right ? Value() : row, right ? row : Value()};
    Results results;
    if (!body_(pair, results)) return std::get<EvalError>(exhausted());
    ListItems values;
    if (auto error = take(results, right ? rows_.keys : 0, rows_.keys, values)) return error;
    for (const Value& value : values) {
      if (value.isNone()) return std::nullopt;
    }
    keys = std::move(values);
    return std::nullopt;
  }

  EvalResult join() {
    std::unordered_map<ListItems, std::vector<std::size_t>, KeyHash> places;
    const ListItems& others = operands_[1].items();
    std::optional<ListItems> key;
    for (std::size_t i = 0; i < others.size(); ++i) {
      if (auto error = keysOf(others[i], true, key)) return std::move(*error);
      if (key) places[*key].push_back(i);
    }
    const std::size_t width = module_.types[module_.types[node_.type].element].fields.size();
    ListItems made;
    for (const Value& row : input()) {
      if (auto error = keysOf(row, false, key)) return std::move(*error);
      const auto found = key ? places.find(*key) : places.end();
      const bool matches = found != places.end();
      if (rows_.join == JoinKind::Semi || rows_.join == JoinKind::Anti) {
        if (matches == (rows_.join == JoinKind::Semi)) made.push_back(row);
        continue;
      }
      ListItems left;
      for (const auto& field : row.named()) left.push_back(field.second);
      if (!matches) {
        if (rows_.join == JoinKind::Inner) continue;
        left.resize(width);
        made.push_back(record(std::move(left)));
        continue;
      }
      for (const std::size_t i : found->second) {
        if (made.size() == kMaxItems) return exhausted();
        ListItems both = left;
        for (const auto& field : others[i].named()) both.push_back(field.second);
        made.push_back(record(std::move(both)));
      }
    }
    return Value::list(std::move(made));
  }

  EvalResult concat() {
    ListItems all;
    for (const Value& table : input()) {
      if (table.as<ListValue>() == nullptr) return fail("there is no table here");
      all.insert(all.end(), table.items().begin(), table.items().end());
    }
    return Value::list(std::move(all));
  }

  const Module& module_;
  const Node& node_;
  const Rows& rows_;
  const RowBody& body_;
  std::vector<Value> operands_;
};

}  // namespace

EvalResult applyRows(const Module& module, const Node& node, std::span<const EvalResult> operands,
                     const RowBody& body) {
  return RowsEvaluator(module, node, operands, body).run();
}

}  // namespace couler::ir::eval
