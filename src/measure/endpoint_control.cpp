#include "measure/endpoint_control.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace busbar {
namespace {

// Groups that are being made talk under a number of their own; all workers have the next one.
constexpr int founding = 0;
constexpr int of_all_workers = 1;

Rank place_of(Rank rank, const std::vector<Rank>& members) {
  return Rank{static_cast<int>(std::find(members.begin(), members.end(), rank) - members.begin())};
}

std::vector<Rank> first_ranks(int count) {
  std::vector<Rank> ranks;
  for (int r = 0; r < count; ++r) ranks.emplace_back(r);
  return ranks;
}

}  // namespace

EndpointControl::EndpointControl(Endpoint& endpoint, std::vector<Rank> members, int number)
    : endpoint_(endpoint),
      members_(std::move(members)),
      self_(place_of(endpoint.rank(), members_)),
      together_(2 * number),
      direct_(2 * number + 1) {}

// Dissemination: after the round of distance d every rank has heard, through others, from the 2d - 1 before it.
void EndpointControl::barrier() {
  const int n = size();
  for (int distance = 1; distance < n; distance *= 2) {
    endpoint_.exchange(member((self_.value + distance) % n), member((self_.value - distance + n) % n), together_);
  }
}

// A binomial tree: rank r hears from r without its lowest bit, and tells those that differ from it in a lower one.
void EndpointControl::broadcast(std::span<std::byte> data) {
  int bit = 1;
  while (bit < size() && (self_.value & bit) == 0) bit *= 2;
  if (!is_root()) endpoint_.receive(member(self_.value - bit), together_, data);
  for (bit /= 2; bit > 0; bit /= 2) {
    if (self_.value + bit < size()) endpoint_.send(member(self_.value + bit), together_, data);
  }
}

// The same tree towards the root: what a rank holds is always of consecutive ranks from its own on.
std::vector<std::byte> EndpointControl::gather(std::span<const std::byte> mine) {
  std::vector<std::byte> held(mine.begin(), mine.end());
  for (int bit = 1; bit < size(); bit *= 2) {
    if ((self_.value & bit) != 0) {
      endpoint_.send(member(self_.value - bit), together_, held);
      return {};
    }
    if (self_.value + bit >= size()) continue;
    const auto theirs = static_cast<std::size_t>(std::min(bit, size() - self_.value - bit));
    const std::size_t before = held.size();
    held.resize(before + theirs * mine.size());
    endpoint_.receive(member(self_.value + bit), together_, std::span{held}.subspan(before));
  }
  return held;
}

EndpointControls::EndpointControls(Endpoint& endpoint)
    : endpoint_(endpoint),
      workers_(std::make_unique<EndpointControl>(endpoint, first_ranks(endpoint.size()), of_all_workers)),
      next_number_(of_all_workers + 1) {}

std::unique_ptr<Control> EndpointControls::of(const std::vector<Rank>& members) {
  return std::make_unique<EndpointControl>(endpoint_, members, agree_on_number(members));
}

/// The lowest number that is new to all members: so two groups with one only have no rank in common.
int EndpointControls::agree_on_number(const std::vector<Rank>& members) {
  EndpointControl founders(endpoint_, members, founding);
  const std::vector<int> proposed = gather_value(founders, next_number_);
  int number = std::accumulate(proposed.begin(), proposed.end(), 0, [](int a, int b) { return std::max(a, b); });
  broadcast_value(founders, number);
  next_number_ = number + 1;
  return number;
}

}  // namespace busbar
