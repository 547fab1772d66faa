#include "transport/ucx/ways.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <sstream>

namespace busbar::ucx {
namespace {

/// "lane[0]:  2:cma/memory.0 md[2] -> md[2]/cma/sysdev[255] rma_bw#0 am" becomes "cma/memory for rma_bw, am".
std::optional<std::string> lane_of(const std::string& line) {
  std::istringstream words(line);
  std::string hash;
  std::string lane;
  std::string resource;
  words >> hash >> lane >> resource;
  const auto colon = resource.find(':');
  if (!lane.starts_with("lane[") || colon == std::string::npos) return std::nullopt;
  std::string device = resource.substr(colon + 1);
  if (device.ends_with(".0")) device.resize(device.size() - 2);  // the first path over a device, mostly the only one
  std::vector<std::string> uses;
  bool after_arrow = false;
  for (std::string word; words >> word;) {
    if (after_arrow && word.find("md[") == std::string::npos) {
      const std::string use = word.substr(0, word.find('#'));
      if (std::find(uses.begin(), uses.end(), use) == uses.end()) uses.push_back(use);
    }
    after_arrow = after_arrow || word == "->";
  }
  return uses.empty() ? device : fmt::format("{} for {}", device, fmt::join(uses, ", "));
}

}  // namespace

std::vector<std::string> describe_ways(const std::vector<std::string>& printed) {
  std::vector<std::string> sentences;
  for (const std::string& text : printed) {
    std::istringstream lines(text);
    std::vector<std::string> lanes;
    for (std::string line; std::getline(lines, line);) {
      if (const auto lane = lane_of(line)) lanes.push_back(*lane);
    }
    if (lanes.empty()) continue;
    const std::string sentence = fmt::format("endpoint: {}", fmt::join(lanes, "; "));
    if (std::find(sentences.begin(), sentences.end(), sentence) == sentences.end()) sentences.push_back(sentence);
  }
  return sentences;
}

}  // namespace busbar::ucx
