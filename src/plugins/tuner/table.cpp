#include "plugins/tuner/table.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

namespace busbar::plugins {
namespace {

using namespace nccl_abi;

constexpr std::size_t most_bytes = 4 << 20;
constexpr std::size_t most_fields = 10, least_fields = 8;  // the last two are optional
// NVIDIA's README gives this as the largest size of all; taken at its word it would lose every message from 4 GiB on.
constexpr std::uint64_t nvidias_maximum = 4294967295U;

template <typename Value, std::size_t N>
using Words = std::array<std::pair<std::string_view, Value>, N>;

constexpr Words<Function, tuned_functions> function_words = {{{"broadcast", broadcast},
                                                              {"reduce", reduce},
                                                              {"allgather", all_gather},
                                                              {"reducescatter", reduce_scatter},
                                                              {"allreduce", all_reduce}}};
constexpr Words<Algorithm, algorithms> algorithm_words = {{{"tree", tree},
                                                           {"ring", ring},
                                                           {"collnet_direct", collnet_direct},
                                                           {"collnet_chain", collnet_chain},
                                                           {"nvls", nvls},
                                                           {"nvls_tree", nvls_tree},
                                                           {"pat", pat}}};
constexpr Words<Protocol, protocols> protocol_words = {{{"ll", ll}, {"ll128", ll128}, {"simple", simple}}};

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// What a message quotes: short, and printable whatever the file holds.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text.substr(0, 40)) out += c >= ' ' && c <= '~' ? c : '?';
  return out + (text.size() > 40 ? "…'" : "'");
}

// One line's fields, and the messages about them.
class Line {
 public:
  Line(std::size_t number, std::string_view text) : number_(number) {
    for (bool more = true; more; ++count_) {
      const auto comma = text.find(',');
      if (count_ < most_fields) fields_[count_] = trimmed(text.substr(0, comma));
      more = comma != std::string_view::npos;
      if (more) text.remove_prefix(comma + 1);
    }
    if (count_ < least_fields || count_ > most_fields) {
      throw MalformedTable("line " + std::to_string(number_) + " has " + std::to_string(count_) +
                           " fields; a row has 8 to 10: collective_type,min_bytes,max_bytes,algorithm,protocol,"
                           "channels,nNodes,nRanks[,numPipeOps[,regBuff]]");
    }
  }

  template <typename Value, std::size_t N>
  Value word(std::size_t field, const char* what, const Words<Value, N>& words) const {
    const auto found =
        std::find_if(words.begin(), words.end(), [&](const auto& word) { return word.first == fields_[field]; });
    if (found != words.end()) return found->second;
    std::string accepted;
    for (const auto& word : words) accepted.append(accepted.empty() ? "" : ", ").append(word.first);
    throw bad(field, what, accepted);
  }

  /// -1 and an empty or missing field are none.
  std::optional<std::uint64_t> number(std::size_t field, const char* what, std::uint64_t most) const {
    const std::string_view text = field < count_ ? fields_[field] : std::string_view();
    if (text.empty() || text == "-1") return std::nullopt;
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value > most) {
      throw bad(field, what, "-1, or 0 to " + std::to_string(most));
    }
    return value;
  }

  /// As `number`, where 0 is none as well.
  std::optional<std::uint64_t> positive(std::size_t field, const char* what, std::uint64_t most) const {
    const auto value = number(field, what, most);
    return value == 0U ? std::nullopt : value;
  }

  MalformedTable bad(std::size_t field, const char* what, const std::string& accepted) const {
    return MalformedTable("line " + std::to_string(number_) + ": " + what + " is " + quoted(fields_[field]) +
                          "; accepted: " + accepted);
  }

 private:
  std::size_t number_;
  std::size_t count_ = 0;
  std::array<std::string_view, most_fields> fields_;
};

std::optional<int> to_int(std::optional<std::uint64_t> value) {
  return value ? std::optional(static_cast<int>(*value)) : std::nullopt;
}

Row parse_row(const Line& line) {
  constexpr auto any_size = std::numeric_limits<std::uint64_t>::max();
  constexpr auto any_int = static_cast<std::uint64_t>(std::numeric_limits<int>::max());
  Row row;
  row.function = line.word(0, "collective_type", function_words);
  row.min_bytes = line.number(1, "min_bytes", any_size).value_or(0);
  row.max_bytes = line.number(2, "max_bytes", any_size).value_or(any_size);
  if (row.max_bytes == nvidias_maximum) row.max_bytes = any_size;
  if (row.max_bytes < row.min_bytes) throw line.bad(2, "max_bytes", "min_bytes or more, or -1 for no end");
  row.algorithm = line.word(3, "algorithm", algorithm_words);
  row.protocol = line.word(4, "protocol", protocol_words);
  row.channels = to_int(line.positive(5, "channels", any_int));
  if (row.channels) row.channels = std::min(*row.channels, max_channels);
  row.nodes = line.positive(6, "nNodes", any_int);
  row.ranks = line.positive(7, "nRanks", any_int);
  row.pipe_ops = to_int(line.positive(8, "numPipeOps", any_int));
  if (const auto registered = line.number(9, "regBuff", 1)) row.registered = *registered == 1;
  return row;
}

// "# fabric: IB NDR" at the top of the file.
void note_purpose(std::string_view comment, std::string& made_for) {
  const auto colon = comment.find(':');
  if (colon == std::string_view::npos) return;
  const std::string_view key = trimmed(comment.substr(1, colon - 1));
  constexpr std::array keys = {"fabric", "nccl", "cuda", "driver", "nodes", "ranks"};
  if (std::find(keys.begin(), keys.end(), key) == keys.end()) return;
  made_for.append(made_for.empty() ? "" : ", ").append(key).append(" ");
  made_for.append(trimmed(comment.substr(colon + 1)).substr(0, 80));
}

}  // namespace

Table parse_table(std::string_view text) {
  if (text.size() > most_bytes) throw MalformedTable("it is larger than 4 MiB, which is accepted");
  if (text.find('\0') != std::string_view::npos) throw MalformedTable("it is not text: it has a NUL byte");
  Table table;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto newline = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, newline));
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    const bool header = table.rows.empty() && line.starts_with("collective_type,");
    if (line.starts_with('#') && table.rows.empty()) note_purpose(line, table.made_for);
    if (line.empty() || line.starts_with('#') || header) continue;
    table.rows.push_back(parse_row(Line(number, line)));
  }
  return table;
}

Table read_table(const std::string& path) {
  struct Close {
    void operator()(std::FILE* f) const { std::fclose(f); }
  };
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "re"));
  if (!file) throw MalformedTable(std::string("it cannot be read: ") + std::strerror(errno));
  std::string text(most_bytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) throw MalformedTable(std::string("it cannot be read: ") + std::strerror(errno));
  Table table = parse_table(text);
  if (table.rows.empty()) throw MalformedTable("it has no rows");
  return table;
}

}  // namespace busbar::plugins
