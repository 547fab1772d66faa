#include "measure/exchange.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace busbar {

std::string broadcast_text(Control& control, std::string text) {
  std::uint64_t length = text.size();
  broadcast_value(control, length);
  text.resize(length);
  control.broadcast(std::as_writable_bytes(std::span{text}));
  return text;
}

std::vector<std::string> gather_texts(Control& control, const std::string& mine) {
  // Gathered blocks have one length, so all are padded to the longest.
  const auto lengths = gather_value(control, static_cast<std::uint64_t>(mine.size()));
  std::uint64_t longest = lengths.empty() ? 0 : *std::max_element(lengths.begin(), lengths.end());
  broadcast_value(control, longest);
  std::string padded = mine;
  padded.resize(longest);
  const auto all = gather_values(control, std::span<const char>{padded});
  std::vector<std::string> texts;
  for (std::size_t r = 0; r < lengths.size(); ++r) texts.emplace_back(all.data() + r * longest, lengths[r]);
  return texts;
}

void send_text(Control& control, Rank to, const std::string& text) {
  const std::uint64_t length = text.size();
  control.send(to, std::as_bytes(std::span{&length, 1}));
  control.send(to, std::as_bytes(std::span{text}));
}

std::string receive_text(Control& control, Rank from) {
  std::uint64_t length = 0;
  control.receive(from, std::as_writable_bytes(std::span{&length, 1}));
  std::string text(length, '\0');
  control.receive(from, std::as_writable_bytes(std::span{text}));
  return text;
}

}  // namespace busbar
