#include "driver/graph_layout.h"
#include "support/text.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string>
#include <unordered_map>

namespace couler::driver {
namespace {

constexpr double kLetter = 7.4;  // width of a letter at 12 px, rounded up
constexpr double kSide = 14;     // text to the box's side
constexpr double kGapX = 24;     // between boxes of a layer
constexpr double kGapY = 40;     // between layers
constexpr double kInset = 16;    // of a cluster
constexpr double kTitle = 24;    // height of a cluster's title
constexpr double kMargin = 16;   // round the drawing
constexpr std::size_t kMaxDummies = 100'000;
constexpr std::uint32_t kNone = 0xffffffffU;

std::size_t lettersShown(std::string_view text) {
  return std::min(countCodePoints(text), kMaxLetters);
}

/// A box, a cluster or a dummy in one cluster's layers.
struct Item {
  double width = 0;
  double height = 0;
  double x = 0;  ///< centre
  double y = 0;  ///< top
  std::size_t layer = 0;
  bool dummy = false;
  std::vector<std::uint32_t> above;
  std::vector<std::uint32_t> below;
};

/// The layers of one cluster's items.
class Layers {
 public:
  std::vector<Item> items;
  double width = 0;
  double height = 0;

  /// Items into which edges lead from outside the cluster, and out of which they lead: the dummies
  /// that keep such an edge clear of the layers above and below, from top to bottom.
  std::map<std::uint32_t, std::vector<std::uint32_t>> entries;
  std::map<std::uint32_t, std::vector<std::uint32_t>> exits;

  /// `chains[e]`: the dummies of edge e, from top to bottom.
  std::vector<std::vector<std::uint32_t>> place(
      const std::vector<std::pair<std::uint32_t, std::uint32_t>>& edges, std::size_t& dummiesLeft) {
    assign(edges);
    auto chains = split(edges, dummiesLeft);
    openSides(dummiesLeft);
    fill();
    orderLayers();
    setX();
    setY();
    return chains;
  }

 private:
  void assign(const std::vector<std::pair<std::uint32_t, std::uint32_t>>& edges) {
    const std::size_t n = items.size();
    std::vector<std::vector<std::uint32_t>> out(n);
    std::vector<std::size_t> waiting(n, 0);
    for (const auto& [from, to] : edges) {
      out[from].push_back(to);
      ++waiting[to];
    }
    std::vector<std::uint32_t> ready;
    std::vector<bool> done(n, false);
    for (std::uint32_t i = 0; i < n; ++i) {
      if (waiting[i] == 0) ready.push_back(i);
    }
    std::vector<std::uint32_t> order;
    std::size_t scan = 0;
    while (order.size() < n) {
      if (ready.empty()) {  // a cycle through clusters: break it at its first item
        while (done[scan]) ++scan;
        ready.push_back(static_cast<std::uint32_t>(scan));
      }
      const std::uint32_t item = ready.back();
      ready.pop_back();
      if (done[item]) continue;
      done[item] = true;
      order.push_back(item);
      for (const std::uint32_t next : out[item]) {
        if (done[next]) continue;
        items[next].layer = std::max(items[next].layer, items[item].layer + 1);
        if (--waiting[next] == 0) ready.push_back(next);
      }
    }
    // What has nothing above moves down to what it leads to.
    std::vector<bool> hasAbove(n, false);
    for (const auto& [from, to] : edges) hasAbove[to] = true;
    for (std::uint32_t i = 0; i < n; ++i) {
      if (hasAbove[i] || out[i].empty()) continue;
      std::size_t nearest = items[out[i][0]].layer;
      for (const std::uint32_t next : out[i]) nearest = std::min(nearest, items[next].layer);
      if (nearest > items[i].layer) items[i].layer = nearest - 1;
    }
  }

  std::vector<std::vector<std::uint32_t>> split(
      const std::vector<std::pair<std::uint32_t, std::uint32_t>>& edges, std::size_t& dummiesLeft) {
    std::vector<std::vector<std::uint32_t>> chains(edges.size());
    for (std::size_t e = 0; e < edges.size(); ++e) {
      const auto [from, to] = edges[e];
      if (items[to].layer <= items[from].layer) continue;  // against the order: drawn as it comes
      const std::size_t need = items[to].layer - items[from].layer - 1;
      if (need > dummiesLeft) continue;
      dummiesLeft -= need;
      std::uint32_t last = from;
      for (std::size_t layer = items[from].layer + 1; layer < items[to].layer; ++layer) {
        const std::uint32_t dummy = addDummy(layer);
        link(last, dummy);
        chains[e].push_back(dummy);
        last = dummy;
      }
      link(last, to);
    }
    return chains;
  }
  std::uint32_t addDummy(std::size_t layer) {
    Item item;
    item.width = 4;
    item.layer = layer;
    item.dummy = true;
    items.push_back(item);
    return static_cast<std::uint32_t>(items.size() - 1);
  }
  void openSides(std::size_t& dummiesLeft) {
    std::size_t bottom = 0;
    for (const Item& item : items) bottom = std::max(bottom, item.layer);
    for (auto& [item, chain] : entries) {
      if (items[item].layer > dummiesLeft) continue;
      for (std::size_t layer = 0; layer < items[item].layer; ++layer) {
        const std::uint32_t dummy = addDummy(layer);
        if (!chain.empty()) link(chain.back(), dummy);
        chain.push_back(dummy);
      }
      dummiesLeft -= chain.size();
      if (!chain.empty()) link(chain.back(), item);
    }
    for (auto& [item, chain] : exits) {
      if (bottom - items[item].layer > dummiesLeft) continue;
      for (std::size_t layer = items[item].layer + 1; layer <= bottom; ++layer) {
        const std::uint32_t dummy = addDummy(layer);
        link(chain.empty() ? item : chain.back(), dummy);
        chain.push_back(dummy);
      }
      dummiesLeft -= chain.size();
    }
  }
  void link(std::uint32_t above, std::uint32_t below) {
    items[above].below.push_back(below);
    items[below].above.push_back(above);
  }

  /// Items into layers, each after a neighbour above so that the first order is already good.
  void fill() {
    std::size_t count = 0;
    for (const Item& item : items) count = std::max(count, item.layer + 1);
    layers_.assign(count, {});
    std::vector<bool> seen(items.size(), false);
    std::vector<std::uint32_t> stack;
    for (std::uint32_t first = 0; first < items.size(); ++first) {
      if (seen[first] || !items[first].above.empty()) continue;
      stack.push_back(first);
      while (!stack.empty()) {
        const std::uint32_t item = stack.back();
        stack.pop_back();
        if (seen[item]) continue;
        seen[item] = true;
        layers_[items[item].layer].push_back(item);
        for (auto next = items[item].below.rbegin(); next != items[item].below.rend(); ++next)
          stack.push_back(*next);
      }
    }
    for (std::uint32_t i = 0; i < items.size(); ++i) {
      if (!seen[i]) layers_[items[i].layer].push_back(i);
    }
  }

  void orderLayers() {
    std::vector<double> rank(items.size(), 0);
    const auto number = [&](const std::vector<std::uint32_t>& layer) {
      for (std::size_t i = 0; i < layer.size(); ++i) rank[layer[i]] = static_cast<double>(i);
    };
    for (const auto& layer : layers_) number(layer);
    const auto sweep = [&](std::vector<std::uint32_t>& layer, bool down) {
      std::vector<std::pair<double, std::uint32_t>> keyed;
      for (const std::uint32_t item : layer) {
        const auto& near = down ? items[item].above : items[item].below;
        double key = rank[item];
        if (!near.empty()) {
          key = 0;
          for (const std::uint32_t other : near) key += rank[other];
          key /= static_cast<double>(near.size());
        }
        keyed.emplace_back(key, item);
      }
      std::stable_sort(keyed.begin(), keyed.end(),
                       [](const auto& a, const auto& b) { return a.first < b.first; });
      for (std::size_t i = 0; i < layer.size(); ++i) layer[i] = keyed[i].second;
      number(layer);
    };
    const int rounds = items.size() > 20'000 ? 2 : 8;
    for (int round = 0; round < rounds; ++round) {
      for (std::size_t l = 1; l < layers_.size(); ++l) sweep(layers_[l], true);
      for (std::size_t l = layers_.size(); l-- > 1;) sweep(layers_[l - 1], false);
    }
  }

  double distance(const Item& left, const Item& right) const {
    const double gap = left.dummy && right.dummy ? kGapX / 2 : kGapX;
    return left.width / 2 + gap + right.width / 2;
  }

  /// The places nearest to the wished ones (least squares, weighted) that keep order and distances.
  void settle(const std::vector<std::uint32_t>& layer, const std::vector<double>& wish,
              const std::vector<double>& weight) {
    struct Group {
      double sum, weight;
      std::size_t count;
      [[nodiscard]] double mean() const { return sum / weight; }
    };
    std::vector<Group> groups;
    std::vector<double> offset(layer.size(), 0);
    for (std::size_t i = 0; i < layer.size(); ++i) {
      if (i != 0) offset[i] = offset[i - 1] + distance(items[layer[i - 1]], items[layer[i]]);
      groups.push_back({(wish[i] - offset[i]) * weight[i], weight[i], 1});
      while (groups.size() > 1 && groups[groups.size() - 2].mean() > groups.back().mean()) {
        const Group last = groups.back();
        groups.pop_back();
        groups.back() = {groups.back().sum + last.sum, groups.back().weight + last.weight,
                         groups.back().count + last.count};
      }
    }
    std::size_t i = 0;
    for (const Group& group : groups) {
      for (std::size_t k = 0; k < group.count; ++k, ++i)
        items[layer[i]].x = group.mean() + offset[i];
    }
  }

  void setX() {
    for (const auto& layer : layers_) {
      double x = 0;
      for (std::size_t i = 0; i < layer.size(); ++i) {
        if (i != 0) x += distance(items[layer[i - 1]], items[layer[i]]);
        items[layer[i]].x = x;
      }
      for (const std::uint32_t item : layer) items[item].x -= x / 2;
    }
    const auto round = [&](const std::vector<std::uint32_t>& layer, int side) {
      std::vector<double> wish;
      std::vector<double> weight;
      for (const std::uint32_t item : layer) {
        double sum = 0;
        std::size_t count = 0;
        const auto take = [&](const std::vector<std::uint32_t>& near) {
          for (const std::uint32_t other : near) sum += items[other].x;
          count += near.size();
        };
        if (side <= 0) take(items[item].above);
        if (side >= 0) take(items[item].below);
        wish.push_back(count == 0 ? items[item].x : sum / static_cast<double>(count));
        weight.push_back(count == 0 ? 0.1 : items[item].dummy ? 4 : 1);
      }
      settle(layer, wish, weight);
    };
    const int rounds = items.size() > 20'000 ? 2 : 8;
    for (int i = 0; i < rounds; ++i) {
      for (const auto& layer : layers_) round(layer, -1);
      for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) round(*layer, 1);
    }
    for (const auto& layer : layers_) round(layer, 0);
    double least = 0;
    double most = 0;
    bool first = true;
    for (const Item& item : items) {
      least = first ? item.x - item.width / 2 : std::min(least, item.x - item.width / 2);
      most = first ? item.x + item.width / 2 : std::max(most, item.x + item.width / 2);
      first = false;
    }
    for (Item& item : items) item.x -= least;
    width = most - least;
  }

  void setY() {
    for (const auto& layer : layers_) {
      double tall = 0;
      for (const std::uint32_t item : layer) tall = std::max(tall, items[item].height);
      for (const std::uint32_t item : layer) {
        if (items[item].dummy) items[item].height = tall;
        items[item].y = height + (tall - items[item].height) / 2;
      }
      height += tall + kGapY;
    }
    height = layers_.empty() ? 0 : height - kGapY;
  }

  std::vector<std::vector<std::uint32_t>> layers_;
};

class Drawing {
 public:
  explicit Drawing(const Graph& graph) : graph_(graph) {}

  GraphLayout make() {
    const std::size_t clusters = graph_.clusters.size();
    layout_.boxes.resize(graph_.boxes.size());
    layout_.clusters.resize(clusters);
    layout_.bends.resize(graph_.edges.size());
    depth_.assign(clusters, 0);
    for (std::size_t c = 1; c < clusters; ++c) depth_[c] = depth_[graph_.clusters[c].parent] + 1;
    sizes();
    members();
    projectEdges();
    // A cluster comes after its parent in the table, so backwards is inside out.
    chains_.resize(clusters);
    for (std::size_t c = clusters; c-- > 0;) placeCluster(c);
    for (std::size_t c = 0; c < clusters; ++c) shift(c);
    bend();
    layout_.all = {0, 0, layout_.clusters[0].width, layout_.clusters[0].height};
    return std::move(layout_);
  }

 private:
  void sizes() {
    for (std::size_t b = 0; b < graph_.boxes.size(); ++b) {
      const Graph::Box& box = graph_.boxes[b];
      Rectangle& size = layout_.boxes[b];
      if (box.kind == Graph::Kind::Join) {
        size.width = size.height = 10;
        continue;
      }
      const auto wide = static_cast<double>(
          std::max(lettersShown(box.title), lettersShown(box.detail)));
      size.width = std::ceil(std::max(wide * kLetter + 2 * kSide, 48.0));
      size.height = box.detail.empty() ? 30 : 44;
    }
  }

  void members() {
    const std::size_t clusters = graph_.clusters.size();
    boxesIn_.resize(clusters);
    clustersIn_.resize(clusters);
    boxItem_.assign(graph_.boxes.size(), 0);
    clusterItem_.assign(clusters, 0);
    for (std::uint32_t b = 0; b < graph_.boxes.size(); ++b) {
      auto& in = boxesIn_[graph_.boxes[b].cluster];
      boxItem_[b] = static_cast<std::uint32_t>(in.size());
      in.push_back(b);
    }
    for (std::uint32_t c = 1; c < clusters; ++c)
      clustersIn_[graph_.clusters[c].parent].push_back(c);
    for (std::size_t c = 0; c < clusters; ++c) {
      for (std::size_t i = 0; i < clustersIn_[c].size(); ++i) {
        clusterItem_[clustersIn_[c][i]] = static_cast<std::uint32_t>(boxesIn_[c].size() + i);
      }
    }
  }

  /// Each edge belongs to the innermost cluster that holds both ends, between that one's items.
  void projectEdges() {
    const std::size_t clusters = graph_.clusters.size();
    edgesIn_.resize(clusters);
    ownerOf_.resize(graph_.edges.size());
    edgeIn_.resize(graph_.edges.size(), kNone);
    layers_.resize(clusters);
    std::vector<std::unordered_map<std::uint64_t, std::uint32_t>> known(clusters);
    for (std::size_t e = 0; e < graph_.edges.size(); ++e) {
      std::uint32_t a = graph_.boxes[graph_.edges[e].from].cluster;
      std::uint32_t b = graph_.boxes[graph_.edges[e].to].cluster;
      std::uint32_t itemA = boxItem_[graph_.edges[e].from];
      std::uint32_t itemB = boxItem_[graph_.edges[e].to];
      while (a != b) {
        if (depth_[a] >= depth_[b]) {
          layers_[a].exits[itemA];
          itemA = clusterItem_[a];
          a = graph_.clusters[a].parent;
        } else {
          layers_[b].entries[itemB];
          itemB = clusterItem_[b];
          b = graph_.clusters[b].parent;
        }
      }
      ownerOf_[e] = a;
      if (itemA == itemB) continue;
      const std::uint64_t key = (std::uint64_t{itemA} << 32U) | itemB;
      const auto [at, isNew] =
          known[a].try_emplace(key, static_cast<std::uint32_t>(edgesIn_[a].size()));
      if (isNew) edgesIn_[a].emplace_back(itemA, itemB);
      edgeIn_[e] = at->second;
    }
  }

  void placeCluster(std::size_t c) {
    Layers& layers = layers_[c];
    for (const std::uint32_t b : boxesIn_[c]) {
      Item item;
      item.width = layout_.boxes[b].width;
      item.height = layout_.boxes[b].height;
      layers.items.push_back(item);
    }
    for (const std::uint32_t child : clustersIn_[c]) {
      Item item;
      item.width = layout_.clusters[child].width;
      item.height = layout_.clusters[child].height;
      layers.items.push_back(item);
    }
    chains_[c] = layers.place(edgesIn_[c], dummiesLeft_);
    const double inset = c == 0 ? kMargin : kInset;
    const double title = c == 0 ? kMargin : kTitle + kInset / 2;
    const double label =
        c == 0 ? 0 : static_cast<double>(lettersShown(graph_.clusters[c].title)) * 6.9 + 24;
    const double content = std::max(layers.width, label - 2 * inset);
    layout_.clusters[c].width = content + 2 * inset;
    layout_.clusters[c].height = layers.height + title + inset;
    const double slack = (content - layers.width) / 2;
    for (Item& item : layers.items) {
      item.x += inset + slack;
      item.y += title;
    }
  }

  /// From places within the cluster to places in the drawing.
  void shift(std::size_t c) {
    const Rectangle& own = layout_.clusters[c];
    auto& items = layers_[c].items;
    for (Item& item : items) {
      item.x += own.x;
      item.y += own.y;
    }
    for (std::size_t i = 0; i < boxesIn_[c].size(); ++i)
      put(layout_.boxes[boxesIn_[c][i]], items[i]);
    for (std::size_t i = 0; i < clustersIn_[c].size(); ++i) {
      put(layout_.clusters[clustersIn_[c][i]], items[boxesIn_[c].size() + i]);
    }
  }
  static void put(Rectangle& place, const Item& item) {
    place.x = item.x - item.width / 2;
    place.y = item.y;
  }

  void bend() {
    for (std::size_t e = 0; e < graph_.edges.size(); ++e) {
      if (edgeIn_[e] == kNone) continue;
      const std::uint32_t owner = ownerOf_[e];
      std::vector<Point>& points = layout_.bends[e];
      const auto through = [&](std::size_t cluster, const std::vector<std::uint32_t>& chain) {
        for (const std::uint32_t dummy : chain) {
          const Item& item = layers_[cluster].items[dummy];
          points.push_back({item.x, item.y});
          points.push_back({item.x, item.y + item.height});
        }
      };
      std::uint32_t item = boxItem_[graph_.edges[e].from];
      for (std::uint32_t c = graph_.boxes[graph_.edges[e].from].cluster; c != owner;
           c = graph_.clusters[c].parent) {
        through(c, layers_[c].exits[item]);
        item = clusterItem_[c];
      }
      through(owner, chains_[owner][edgeIn_[e]]);
      std::vector<std::pair<std::uint32_t, std::uint32_t>> inwards;  // cluster, item
      item = boxItem_[graph_.edges[e].to];
      for (std::uint32_t c = graph_.boxes[graph_.edges[e].to].cluster; c != owner;
           c = graph_.clusters[c].parent) {
        inwards.emplace_back(c, item);
        item = clusterItem_[c];
      }
      for (auto at = inwards.rbegin(); at != inwards.rend(); ++at)
        through(at->first, layers_[at->first].entries[at->second]);
    }
  }

  const Graph& graph_;
  GraphLayout layout_;
  std::vector<std::size_t> depth_;
  std::vector<std::vector<std::uint32_t>> boxesIn_;
  std::vector<std::vector<std::uint32_t>> clustersIn_;
  std::vector<std::uint32_t> boxItem_;
  std::vector<std::uint32_t> clusterItem_;
  std::vector<std::vector<std::pair<std::uint32_t, std::uint32_t>>> edgesIn_;
  std::vector<std::uint32_t> ownerOf_;
  std::vector<std::uint32_t> edgeIn_;
  std::vector<Layers> layers_;
  std::vector<std::vector<std::vector<std::uint32_t>>> chains_;
  std::size_t dummiesLeft_ = kMaxDummies;
};

}  // namespace

GraphLayout layOut(const Graph& graph) { return Drawing(graph).make(); }

}  // namespace couler::driver
