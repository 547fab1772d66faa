#include "observe/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

namespace busbar {
namespace {

constexpr std::size_t first_size = 8192;  // holds /proc/net/netstat, the largest that is read often
constexpr std::size_t largest_size = std::size_t{16} << 20;

}  // namespace

ReadableFile::ReadableFile(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}

ReadableFile::~ReadableFile() {
  if (fd_ >= 0) close(fd_);
}

std::optional<std::string_view> ReadableFile::read(std::string& buffer) const {
  if (fd_ < 0) return std::nullopt;
  buffer.resize(std::max(buffer.size(), first_size));
  std::size_t have = 0;
  for (;;) {
    if (have == buffer.size()) {
      if (have >= largest_size) return std::nullopt;
      buffer.resize(2 * have);
    }
    const ssize_t n = pread(fd_, buffer.data() + have, buffer.size() - have, static_cast<off_t>(have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::nullopt;
    if (n == 0) return std::string_view(buffer).substr(0, have);
    have += static_cast<std::size_t>(n);
  }
}

std::optional<std::string> read_text(const std::string& path) {
  std::string buffer;
  const auto text = ReadableFile(path).read(buffer);
  if (!text) return std::nullopt;
  const auto last = text->find_last_not_of(" \t\r\n");
  return std::string(text->substr(0, last == std::string_view::npos ? 0 : last + 1));
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

std::string_view take_word(std::string_view& line) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  const auto begin = std::find_if_not(line.begin(), line.end(), blank);
  const auto end = std::find_if(begin, line.end(), blank);
  const std::string_view word(begin, end);
  line = std::string_view(end, line.end());
  return word;
}

std::optional<std::uint64_t> parse_number(std::string_view word) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return value;
}

}  // namespace busbar
