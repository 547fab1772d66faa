// Tables as nobody should write them: mutations of valid ones, and bytes. Deterministic: a seed is a sequence.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace busbar::plugins::test {

class TableMutations {
 public:
  explicit TableMutations(std::uint64_t seed) : state_(seed * 2654435761U + 1) {}

  /// The next one, of at most some hundred bytes; valid until the next call.
  const std::string& next() {
    text_.clear();
    if (below(16) == 0) {
      bytes();
    } else {
      rows();
      for (std::uint64_t changes = below(2) * below(4); changes > 0; --changes) change();
    }
    return text_;
  }

  /// xorshift64* (Vigna 2016): the generators of the standard library would take longer than the plugin.
  std::uint64_t below(std::uint64_t limit) {
    state_ ^= state_ >> 12U;
    state_ ^= state_ << 25U;
    state_ ^= state_ >> 27U;
    return (state_ * 2685821657736338717U >> 32U) % limit;
  }

 private:
  static constexpr std::array<std::string_view, 14> numbers = {"-1",
                                                               "0",
                                                               "1",
                                                               "2",
                                                               "16",
                                                               "64",
                                                               "65",
                                                               "1024",
                                                               "4294967295",
                                                               "9223372036854775807",
                                                               "18446744073709551615",
                                                               "18446744073709551616",
                                                               "-2",
                                                               ""};
  static constexpr std::array<std::string_view, 7> functions = {
      "allreduce", "allgather", "reducescatter", "broadcast", "reduce", "alltoall", ""};
  static constexpr std::array<std::string_view, 8> algorithms = {
      "tree", "ring", "collnet_direct", "collnet_chain", "nvls", "nvls_tree", "pat", "Ring"};
  static constexpr std::array<std::string_view, 4> protocols = {"ll", "ll128", "simple", "ll64"};
  static constexpr std::array<std::string_view, 8> ends = {"\n",   "\n",   "\n", "\n",
                                                           "\r\n", "\n\n", "",   "\n# nodes: 2\n"};
  static constexpr std::string_view alphabet = "0123456789,,,--#\n\r\t :abcdefghijklmnopqrstuvwxyz_\xff\x80\x01";

  template <std::size_t N>
  std::string_view one_of(const std::array<std::string_view, N>& words, std::uint64_t good) {
    // The last word of each list is wrong; most tables should get past their first row.
    return words[below(60) == 0 ? below(N) : below(good)];
  }

  void bytes() {
    for (std::uint64_t n = below(120); n > 0; --n) text_.push_back(static_cast<char>(1 + below(255)));
  }

  void rows() {
    if (below(8) == 0) text_ += "# fabric: x\n";
    for (std::uint64_t n = 1 + below(4); n > 0; --n) {
      text_ += one_of(functions, 5);
      field(one_of(numbers, 8));
      field(below(8) == 0 ? one_of(numbers, 14) : "-1");
      field(one_of(algorithms, 7));
      field(one_of(protocols, 3));
      field(one_of(numbers, 10));
      for (std::uint64_t more = 2 + below(3); more > 0; --more) field(below(2) == 0 ? one_of(numbers, 5) : "-1");
      text_ += ends[below(ends.size())];
    }
  }
  void field(std::string_view text) { (text_ += ',') += text; }

  void change() {
    if (text_.empty()) return;
    const std::uint64_t at = below(text_.size());
    switch (below(6)) {
      case 0: text_[at] = alphabet[below(alphabet.size())]; break;
      case 1: text_[at] = static_cast<char>(1 + below(255)); break;
      case 2: text_.insert(at, 1, alphabet[below(alphabet.size())]); break;
      case 3: text_.erase(at, 1 + below(8)); break;
      case 4: text_.resize(at); break;
      default: text_ += text_.substr(at, 40);
    }
  }

  std::uint64_t state_;
  std::string text_;
};

}  // namespace busbar::plugins::test
