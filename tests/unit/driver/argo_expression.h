#pragma once

#include <cctype>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/driver/command_line.h"

namespace couler::testing {

using Tree = nlohmann::ordered_json;

inline std::string base64(const std::string& bytes) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned word = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      word = (word << 8U) | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      const bool fill = i + k > bytes.size();
      out += fill ? '=' : kDigits[(word >> (18 - 6 * k)) & 63U];
    }
  }
  return out;
}

inline std::string fromBase64(const std::string& text) {
  static const std::string kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned word = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string::npos) continue;
    word = (word << 6U) | static_cast<unsigned>(digit);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out += static_cast<char>(word >> bits & 0xFFU);
  }
  return out;
}

inline std::string replaced(std::string whole, const std::string& part, const std::string& by) {
  for (std::size_t at = 0;
       !part.empty() && (at = whole.find(part, at)) != std::string::npos; at += by.size()) {
    whole.replace(at, part.size(), by);
  }
  return whole;
}

/// The expressions that manifests use, of Argo's language (expr-lang with sprig).
class ArgoExpression {
 public:
  using Names = std::map<std::string, std::string>;
  ArgoExpression(std::string text, const Names& names) : e_(std::move(text)), names_(names) {}

  std::string run() {
    const Tree value = choice();
    space();
    EXPECT_EQ(at_, e_.size()) << e_;
    return value.is_string() ? value.get<std::string>() : value.dump();
  }

 private:
  void space() {
    while (at_ < e_.size() && e_[at_] == ' ') ++at_;
  }
  bool accept(const std::string& word) {
    space();
    if (e_.compare(at_, word.size(), word) != 0) return false;
    at_ += word.size();
    return true;
  }
  void expect(const std::string& word) {
    if (accept(word)) return;
    ADD_FAILURE() << "`" << word << "` expected at " << e_.substr(at_) << " of " << e_;
    at_ = e_.size();
  }
  /// Reads what is not evaluated where `live` does not hold, so names in it need not be there.
  template <class Read>
  Tree when(bool live, Read&& read) {
    const bool before = std::exchange(live_, live_ && live);
    Tree value = read();
    live_ = before;
    return value;
  }

  Tree choice() {
    const Tree condition = either();
    if (!accept("?")) return condition;
    const bool holds = condition == true;
    Tree yes = when(holds, [&] { return choice(); });
    expect(":");
    Tree no = when(!holds, [&] { return choice(); });
    return holds ? yes : no;
  }
  Tree either() {
    Tree left = both();
    while (accept("||")) {
      const bool holds = left == true;
      left = when(!holds, [&] { return both(); }) == true || holds;
    }
    return left;
  }
  Tree both() {
    Tree left = comparison();
    while (accept("&&")) {
      const bool holds = left == true;
      left = when(holds, [&] { return comparison(); }) == true && holds;
    }
    return left;
  }
  Tree comparison() {
    Tree left = sum();
    for (const char* op : {"==", "!=", "<=", ">=", "<", ">"}) {
      if (!accept(op)) continue;
      const Tree right = sum();
      const std::string is = op;
      if (is == "==") return left == right;
      if (is == "!=") return left != right;
      if (is == "<=") return left <= right;
      if (is == ">=") return left >= right;
      return is == "<" ? left < right : left > right;
    }
    return left;
  }

  Tree sum() {
    Tree left = postfix();
    for (;;) {
      if (accept("..")) {
        const auto last = postfix().get<std::int64_t>();
        Tree range = Tree::array();
        for (auto i = left.get<std::int64_t>(); i <= last; ++i) range.push_back(i);
        left = range;
      } else if (accept("+")) {
        const Tree right = postfix();
        if (!live_) continue;
        if (left.is_string()) {
          left = left.get<std::string>() + right.get<std::string>();
        } else {
          left = left.get<std::int64_t>() + right.get<std::int64_t>();
        }
      } else if (accept("-")) {
        left = left.get<std::int64_t>() - postfix().get<std::int64_t>();
      } else {
        return left;
      }
    }
  }

  Tree postfix() {
    Tree value = term();
    while (accept("[")) {
      const Tree index = choice();
      expect("]");
      if (!live_) continue;
      value = index.is_string() ? value.at(index.get<std::string>())
                                : value.at(index.get<std::size_t>());
    }
    return value;
  }

  std::string literal() {
    space();
    const char quote = e_[at_++];
    std::string text = "\"";
    while (at_ < e_.size() && e_[at_] != quote) {
      if (e_[at_] == '\\') text += e_[at_++];
      text += e_[at_++];
    }
    ++at_;
    return Tree::parse(text + '"').get<std::string>();
  }

  Tree number() {
    const std::size_t from = at_;
    const auto digits = [&] {
      while (at_ < e_.size() && std::isdigit(static_cast<unsigned char>(e_[at_])) != 0) ++at_;
    };
    digits();
    if (e_.compare(at_, 1, ".") == 0 && e_.compare(at_, 2, "..") != 0) {
      ++at_;
      digits();
    }
    if (e_.compare(at_, 1, "e") == 0) {
      at_ += 2;
      digits();
    }
    return Tree::parse(e_.substr(from, at_ - from));
  }

  Tree term() {
    space();
    const char c = at_ < e_.size() ? e_[at_] : '\0';
    if (c == '"' || c == '\'') return literal();
    if (c == '#') {
      ++at_;
      return item_;
    }
    if (accept("-")) {
      const Tree value = postfix();
      return value.is_number_integer() ? Tree(-value.get<std::int64_t>())
                                       : Tree(-value.get<double>());
    }
    if (std::isdigit(static_cast<unsigned char>(c)) != 0) return number();
    if (accept("(")) {
      Tree inner = choice();
      expect(")");
      return inner;
    }
    if (accept("!")) return when(true, [&] { return postfix(); }) != true;
    if (accept("[")) {
      Tree list = Tree::array();
      do list.push_back(choice());
      while (accept(","));
      expect("]");
      return list;
    }
    if (accept("{")) {
      Tree record = Tree::object();
      do {
        const std::string key = literal();
        expect(":");
        record[key] = choice();
      } while (accept(","));
      expect("}");
      return record;
    }
    std::string name;
    while (at_ < e_.size() &&
           (std::isalnum(static_cast<unsigned char>(e_[at_])) != 0 || e_[at_] == '.')) {
      name += e_[at_++];
    }
    if (name == "map" || name == "filter") return overEach(name == "map");
    if (name == "nil") return nullptr;
    if (name == "true" || name == "false") return name == "true";
    if (accept("(")) return call(name);
    for (;;) {  // tasks["a"].outputs.parameters["b"]
      if (names_.contains(name)) return names_.at(name);
      if (!accept("[")) break;
      name += '.' + literal();
      expect("]");
      while (at_ < e_.size() && (std::isalpha(static_cast<unsigned char>(e_[at_])) != 0 ||
                                 e_[at_] == '.')) {
        name += e_[at_++];
      }
    }
    EXPECT_FALSE(live_) << "no `" << name << "` for " << e_;
    return nullptr;
  }

  Tree overEach(bool maps) {
    expect("(");
    const Tree list = choice();
    expect(",");
    expect("{");
    const std::size_t body = at_;
    Tree made = Tree::array();
    for (const Tree& one : list) {
      at_ = body;
      item_ = one;
      const Tree value = choice();
      if (maps || value == true) made.push_back(maps ? value : one);
    }
    if (list.empty()) when(false, [&] { return choice(); });
    expect("}");
    expect(")");
    return made;
  }

  Tree call(const std::string& name) {
    std::vector<Tree> args;
    do args.push_back(choice());
    while (accept(","));
    expect(")");
    if (!live_) return nullptr;
    const auto text = [&](std::size_t i) { return args.at(i).get<std::string>(); };
    if (name == "sprig.b64enc") return base64(text(0));
    if (name == "sprig.b64dec") return fromBase64(text(0));
    if (name == "sprig.replace") return replaced(text(2), text(0), text(1));
    if (name == "sprig.toString") return args[0].dump();
    if (name == "sprig.join" ||
        name == "join") {  // the expression language's own has the list first
      const bool own = name == "join";
      const Tree& parts = args.at(own ? 0 : 1);
      std::string all;
      for (std::size_t i = 0; i < parts.size(); ++i) {
        all += (i == 0 ? "" : text(own ? 1 : 0)) + parts[i].get<std::string>();
      }
      return all;
    }
    if (name == "sprig.concat") {
      Tree all = Tree::array();
      for (const Tree& list : args) all.insert(all.end(), list.begin(), list.end());
      return all;
    }
    if (name == "sum") {
      std::int64_t total = 0;
      for (const Tree& one : args[0]) total += one.get<std::int64_t>();
      return total;
    }
    if (name == "toJson") return args[0].dump();
    if (name == "fromJSON") return Tree::parse(text(0));
    if (name == "len") return args[0].size();
    if (name == "first") return args[0].empty() ? Tree() : args[0][0];
    if (name == "sprig.ternary") return args.at(2) == true ? args[0] : args.at(1);
    if (name == "asInt") return args[0].is_string() ? Tree(std::stoll(text(0))) : args[0];
    if (name == "asFloat")
      return args[0].is_string() ? Tree(std::stod(text(0))) : Tree(args[0].get<double>());
    if (name == "sprig.regexReplaceAll") {
      EXPECT_EQ(text(0), "^-?[0-9]+$");
      const std::string all = text(1);
      return all.find_first_not_of("-0123456789") == std::string::npos ? all + ".0" : all;
    }
    if (name == "sprig.trimPrefix") {
      return text(1).starts_with(text(0)) ? text(1).substr(text(0).size()) : text(1);
    }
    if (name == "sprig.trimSuffix") {
      return text(1).ends_with(text(0)) ? text(1).substr(0, text(1).size() - text(0).size())
                                        : text(1);
    }
    if (name == "sprig.trim") {
      const std::string all = text(0);
      const std::size_t from = all.find_first_not_of(" \n");
      return from == std::string::npos ? ""
                                       : all.substr(from, all.find_last_not_of(" \n") + 1 - from);
    }
    ADD_FAILURE() << "no function `" << name << "` for " << e_;
    return "";
  }

  std::string e_;
  const Names& names_;
  std::size_t at_ = 0;
  bool live_ = true;
  Tree item_;
};

}  // namespace couler::testing
