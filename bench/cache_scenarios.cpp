#include "bench/cache_scenarios.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

namespace couler::bench {
namespace {

/// Without the library's distributions, whose results are each library's own.
double uniform(std::mt19937& random, double low, double high) {
  return low + (high - low) * (static_cast<double>(random() >> 5) / 134217728.0);
}

std::uint32_t below(std::mt19937& random, std::size_t limit) {
  return static_cast<std::uint32_t>(random() % limit);
}

std::vector<std::uint32_t> some(std::mt19937& random, std::uint32_t from, std::uint32_t to,
                                std::uint32_t count) {
  std::vector<std::uint32_t> picked;
  while (picked.size() < std::min(count, to - from)) {
    const std::uint32_t one = from + below(random, to - from);
    if (std::find(picked.begin(), picked.end(), one) == picked.end()) picked.push_back(one);
  }
  std::sort(picked.begin(), picked.end());
  return picked;
}

}  // namespace

SimWorkflow draw(const Scenario& scenario, std::uint32_t seed) {
  std::mt19937 random(seed * 977 + scenario.pods);
  SimWorkflow flow;
  flow.name = scenario.name;
  // Three fifths of what is no training prepares data, the rest compares and reports.
  const std::uint32_t others = scenario.pods - scenario.models;
  const std::uint32_t preparing = std::max<std::uint32_t>(3, others * 3 / 5);
  const std::uint32_t sources = std::max<std::uint32_t>(1, preparing / 4);
  const std::uint32_t trained = preparing + scenario.models;
  for (std::uint32_t i = 0; i < scenario.pods; ++i) {
    SimStep step;
    if (i < sources) {
      step = {uniform(random, 60, 600), uniform(random, 4e9, 20e9), 0.2, {}};
    } else if (i < preparing) {
      step = {uniform(random, 60, 900), uniform(random, 0.5e9, 10e9), 1, {}};
      step.inputs = some(random, i > 4 ? i - 4 : 0, i, 1 + below(random, 2));
    } else if (i < trained) {
      step = {uniform(random, 600, 7200), uniform(random, 0.1e9, 3e9), 4, {}};
      step.inputs = some(random, preparing / 2, preparing, 1 + below(random, 3));
      // Some models begin from another one.
      if (i > preparing && below(random, 4) == 0) step.inputs.push_back(preparing + below(random, i - preparing));
    } else {
      step = {uniform(random, 20, 300), uniform(random, 1e6, 0.3e9), 2, {}};
      step.inputs = some(random, preparing, i, 1 + below(random, 5));
    }
    flow.steps.push_back(std::move(step));
  }
  return flow;
}

std::vector<SimWorkflow> alibabaJobs(std::size_t least) {
  std::vector<SimWorkflow> jobs;
  const char* corpora = std::getenv("COULER_CORPORA");
  if (corpora == nullptr) return jobs;
  std::ifstream file(std::string(corpora) + "/alibaba-dag-2018/batch_tasks_1h.csv");
  struct Task {
    std::string number;
    std::vector<std::string> before;
    double seconds, bytes;
  };
  std::vector<std::string> order;
  std::map<std::string, std::vector<Task>> tasks;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::istringstream row(line);
    std::string cells[7];
    for (std::string& cell : cells) std::getline(row, cell, ',');
    // `J3_1_2` is task 3 and reads what 1 and 2 made; names of other forms stand in no graph.
    std::istringstream name(cells[2]);
    std::string part;
    Task task{};
    while (std::getline(name, part, '_')) {
      if (task.number.empty()) {
        const std::size_t digit = part.find_first_of("0123456789");
        if (digit == std::string::npos) break;
        task.number = part.substr(digit);
      } else if (!part.empty() && part.find_first_not_of("0123456789") == std::string::npos) {
        task.before.push_back(part);
      }
    }
    if (task.number.empty() || cells[2].starts_with("task_")) continue;
    task.seconds = std::max(1.0, std::atof(cells[3].c_str()));
    task.bytes = std::max(0.01, std::atof(cells[5].c_str())) * std::max(1.0, std::atof(cells[6].c_str())) * 1e8;
    auto& list = tasks[cells[1]];
    if (list.empty()) order.push_back(cells[1]);
    list.push_back(std::move(task));
  }
  for (const std::string& job : order) {
    std::vector<Task>& list = tasks[job];
    if (list.size() < least) continue;
    SimWorkflow flow;
    flow.name = job;
    std::map<std::string, std::uint32_t> placed;
    std::vector<bool> done(list.size(), false);
    for (bool more = true; more;) {
      more = false;
      for (std::size_t i = 0; i < list.size(); ++i) {
        const auto known = [&](const std::string& before) {
          const auto there = [&](const Task& task) { return task.number == before; };
          return placed.contains(before) || std::none_of(list.begin(), list.end(), there);
        };
        if (done[i] || !std::all_of(list[i].before.begin(), list[i].before.end(), known)) continue;
        SimStep step{list[i].seconds, list[i].bytes, 1, {}};
        for (const std::string& before : list[i].before) {
          if (const auto at = placed.find(before); at != placed.end()) step.inputs.push_back(at->second);
        }
        placed.try_emplace(list[i].number, static_cast<std::uint32_t>(flow.steps.size()));
        flow.steps.push_back(std::move(step));
        done[i] = more = true;
      }
    }
    jobs.push_back(std::move(flow));
  }
  return jobs;
}

}  // namespace couler::bench
