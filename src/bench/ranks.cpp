#include "bench/ranks.h"

#include <fmt/format.h>

#include <charconv>

#include "core/error.h"

namespace busbar {
namespace {

// A list may be long, but not so long that a typing error fills memory.
constexpr int most_ranks = 10'000'000;

[[noreturn]] void refuse(std::string_view text) {
  throw UsageError(
      fmt::format("'{}' is no list of ranks; accepted: numbers and ranges such as 0-3,8 in rising order", text));
}

int parse_rank(std::string_view digits, std::string_view all) {
  int value = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size() || value < 0 || value >= most_ranks) refuse(all);
  return value;
}

}  // namespace

std::vector<Rank> parse_ranks(std::string_view text) {
  std::vector<Rank> ranks;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const std::string_view part = rest.substr(0, comma);
    if (comma != std::string_view::npos && comma + 1 == rest.size()) refuse(text);
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    const auto dash = part.find('-');
    const int first = parse_rank(part.substr(0, dash), text);
    const int last = dash == std::string_view::npos ? first : parse_rank(part.substr(dash + 1), text);
    if (last < first) refuse(text);
    for (int r = first; r <= last; ++r) {
      if (!ranks.empty() && r <= ranks.back().value) refuse(text);
      ranks.emplace_back(r);
    }
  }
  return ranks;
}

std::string format_ranks(const std::vector<Rank>& ranks) {
  std::string text;
  for (std::size_t i = 0; i < ranks.size();) {
    std::size_t j = i;
    while (j + 1 < ranks.size() && ranks[j + 1].value == ranks[j].value + 1) ++j;
    if (!text.empty()) text += ',';
    text += j == i ? fmt::format("{}", ranks[i].value) : fmt::format("{}-{}", ranks[i].value, ranks[j].value);
    i = j + 1;
  }
  return text;
}

}  // namespace busbar
