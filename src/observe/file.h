// Reading the kernel's text files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace busbar {

/// A file that stays open and is read anew from its beginning, as the files of /proc and /sys allow.
class ReadableFile {
 public:
  /// A file that cannot be opened reads as nothing.
  explicit ReadableFile(const std::string& path);
  ~ReadableFile();
  ReadableFile(ReadableFile&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  ReadableFile& operator=(ReadableFile&&) = delete;

  bool is_open() const { return fd_ >= 0; }
  /// The file's present text, in `buffer`, which grows at need and is not cleared by the next read of another file into
  /// it. None on any error, and beyond 16 MiB, which no kernel text has.
  std::optional<std::string_view> read(std::string& buffer) const;

 private:
  int fd_;
};

/// The whole text of a file, without trailing white space; none where it cannot be read.
std::optional<std::string> read_text(const std::string& path);

/// Takes the next line off `text`.
std::string_view take_line(std::string_view& text);
/// Takes the next word, parted by blanks, off `line`; empty at its end.
std::string_view take_word(std::string_view& line);
/// A decimal number and nothing else; none for a sign, a fraction, an empty word or one beyond 64 bits.
std::optional<std::uint64_t> parse_number(std::string_view word);

}  // namespace busbar
